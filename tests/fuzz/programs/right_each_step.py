# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Forecaster(nn.Module):
    feature_dim = 4
    units = 9

    def __init__(self):
        super().__init__()
        self.lstm = LSTM(
            input_size=self.feature_dim,
            hidden_size=self.units,
            batch_first=True,
        )
        self.classifier = nn.Linear(self.units, 1)

    def forward(self, x):
        outputs, h = self.lstm(x)
        return self.classifier(outputs)


model = Forecaster()
batch_size = 5
length = 7
X = torch.randn(10, length, 4)
Y = torch.randn(10, length, 1)
dataset = TensorDataset(X, Y)
loader = DataLoader(dataset, batch_size=5, shuffle=True)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for i, (xb, yb) in enumerate(loader):
    optimizer.zero_grad()
    logits = model(xb)
    loss = criterion(logits, yb)
    loss.backward()
    optimizer.step()
