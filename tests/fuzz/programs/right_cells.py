# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

WORD_DIM = 8


class LSTMCellModel(nn.Module):
    def __init__(self, nout: int):
        super(LSTMCellModel, self).__init__()
        self.proj = nn.Linear(16, WORD_DIM)
        self.rnn = nn.LSTMCell(WORD_DIM, 6)
        self.classifier = nn.Linear(6, nout)

    def forward(self, x: torch.Tensor):
        x = F.relu(self.proj(x))
        bs = x.size(0)
        h = torch.zeros(bs, 6)
        c = torch.zeros(bs, 6)
        states = []
        for x_t in x.split(1, dim=1):
            h, c = self.rnn(x_t.squeeze(1), (h, c))
            states.append(h)
        out = torch.stack(states, dim=1)
        return self.classifier(out)


model = LSTMCellModel(5)
bs = 7
seq_len = 7
inputs = torch.randn(14, seq_len, 16)
targets = torch.randint(0, 5, (14, seq_len))
dataset = TensorDataset(inputs, targets)
loader = DataLoader(dataset, batch_size=7, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for i, (inp, target) in enumerate(loader):
    optimizer.zero_grad()
    scores = model(inp)
    loss = criterion(scores.view(-1, 5), target.view(-1))
    loss.backward()
    optimizer.step()
