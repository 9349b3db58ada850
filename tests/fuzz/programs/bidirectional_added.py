# bidirectional added: crash: RuntimeError: mat1 and mat2 shapes cannot be multiplied (9x32 and 16x14)
# right: self.encoder = LSTM(input_size=feature_dim, hidden_size=units, num_layers=n_layers)
import torch.nn as nn
from torch.nn import GRU, LSTM, RNN


class Recurrent(nn.Module):
    def __init__(self, feature_dim=8, units=16, n_layers=2):
        super(Recurrent, self).__init__()
        self.encoder = LSTM(input_size=feature_dim, hidden_size=units, num_layers=n_layers, bidirectional=True)

    def forward(self, x):
        y = self.encoder(x)[0]
        return y


class CRNN(nn.Module):
    def __init__(self, output_size=14, feature_dim=8, units=16, n_layers=2):
        super(CRNN, self).__init__()
        self.encoder = Recurrent(feature_dim, units=units, n_layers=n_layers)
        self.fc = nn.Linear(units, output_size)  # error: [RSG201]

    def forward(self, x):
        y = self.fc(self.encoder(x))
        return y

