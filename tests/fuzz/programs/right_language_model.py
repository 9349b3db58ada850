# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset


class WordLSTM(nn.Module):
    """Forward pass.

    x: (batch_size, time)
    """
    vocab_size = 9
    ninp = 12
    h_dim = 6
    nlayers = 1

    def __init__(self):
        super(WordLSTM, self).__init__()
        self.embed = nn.Embedding(self.vocab_size, self.ninp)
        self.dropout = nn.Dropout(0.2)
        self.layer = LSTM(
            input_size=self.ninp,
            hidden_size=self.h_dim,
            num_layers=self.nlayers,
            batch_first=True,
        )
        self.decoder = nn.Linear(self.h_dim, self.vocab_size)

    def initial_state(self, batch_size):
        return (torch.zeros(self.nlayers, batch_size, self.h_dim), torch.zeros(self.nlayers, batch_size, self.h_dim))

    def forward(self, x, hidden):
        e = self.dropout(self.embed(x))
        out, hidden = self.layer(e, hidden)
        return self.decoder(out), hidden


batch_size, seq_len = 5, 3
model = WordLSTM()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters())
hidden = model.initial_state(batch_size)
for step in range(2):
    x = torch.randint(0, 9, (batch_size, seq_len))
    y = torch.randint(0, 9, (batch_size, seq_len))
    hidden = tuple(h.detach() for h in hidden)
    optimizer.zero_grad()
    logits, hidden = model(x, hidden)
    loss = criterion(logits.reshape(-1, 9), y.reshape(-1))
    loss.backward()
    optimizer.step()
