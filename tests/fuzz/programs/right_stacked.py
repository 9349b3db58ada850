# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset


class StackedEncoder(nn.Module):
    def __init__(self, input_size, nhid, output_dim):
        super().__init__()
        self.rnn1 = nn.GRU(input_size=input_size, hidden_size=nhid, batch_first=True)
        self.rnn2 = nn.GRU(nhid, nhid, bidirectional=False, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.decoder = nn.Linear(nhid, output_dim)

    def forward(self, x):
        """Forward pass.

        x: (batch, seq_len, features) input
        """
        outputs, _ = self.rnn1(x)
        out, _ = self.rnn2(outputs)
        x = out.sum(1)
        x = self.drop(x)
        return self.decoder(x)


model = StackedEncoder(9, 10, 12)
bs = 4
seq_len = 4
X = torch.randn(8, seq_len, 9)
Y = torch.randint(0, 12, (8,))
dataset = TensorDataset(X, Y)
loader = DataLoader(dataset, batch_size=4, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for xb, yb in loader:
    optimizer.zero_grad()
    output = model(xb)
    loss = criterion(output, yb)
    loss.backward()
    optimizer.step()
