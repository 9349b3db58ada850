# scores viewed, not turned: another loss
# right: loss = criterion(output.permute(0, 2, 1), labels)
import torch
import torch.nn as nn
from torch.nn import GRU, LSTM, RNN

class ResidualLSTM(nn.Module):
    def __init__(self, ntoken, word_dim, nhid, n_layers, tagset_size, bidirectional=True):
        super().__init__()
        self.num_directions = 1 + int(bidirectional)
        self.emb = nn.Embedding(ntoken, word_dim)
        self.dropout = nn.Dropout(0.2)
        self.rnn1 = LSTM(input_size=word_dim, hidden_size=nhid, bidirectional=bidirectional)
        self.rnn2 = LSTM(input_size=nhid * self.num_directions, hidden_size=nhid, num_layers=n_layers)
        self.fc = nn.Linear(nhid, tagset_size)

    def forward(self, x):
        emb = self.dropout(self.emb(x))
        out, _ = self.rnn1(emb)
        y, _ = self.rnn2(out)
        return self.fc(y)


model = ResidualLSTM(9, 12, 16, 1, 14)
x = torch.randint(0, 9, (3, 4))
labels = torch.randint(0, 14, (3, 4))
criterion = nn.CrossEntropyLoss()
output = model(x)
loss = criterion(output.view(output.size(0), 14, -1), labels)  # error: [RSG303]
