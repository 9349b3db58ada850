# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Recurrent(nn.Module):
    def __init__(self, input_dim, units, layer_dim):
        super(Recurrent, self).__init__()
        self.layer = nn.LSTM(
            input_dim,
            units,
            layer_dim,
            dropout=0.2,
        )

    def forward(self, x):
        output, _ = self.layer(x)
        return output


class CRNN(nn.Module):
    def __init__(self, n_classes, input_dim, units, layer_dim):
        super(CRNN, self).__init__()
        self.encoder = Recurrent(input_dim, units, layer_dim)
        self.fc = nn.Linear(units, n_classes)

    def forward(self, x):
        y = self.fc(self.encoder(x))
        return y.mean(0)


model = CRNN(12, 10, 14, layer_dim=3)
steps = 6
batch_size = 4
x = torch.randn(steps, batch_size, 10)
scores = model(x)
print(scores.shape)
