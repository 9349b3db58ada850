# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(input_size=12, hidden_size=10)
        self.mu = nn.Linear(10, 9)
        self.logvar = nn.Linear(10, 9)
        self.decoder = nn.LSTM(input_size=9, hidden_size=10, num_layers=1)
        self.out = nn.Linear(10, 12)

    def forward(self, x: torch.Tensor):
        # x - [time, batch_size, input_size]
        length = x.size(0)
        out, (h_n, _) = self.encoder(x)
        x = h_n[-1]
        mu, logvar = self.mu(x), self.logvar(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        seq = z.unsqueeze(0).repeat(length, 1, 1)
        out, _ = self.decoder(seq)
        return self.out(out)


batch_size, T = 7, 7
model = Autoencoder()
x = torch.randn(T, batch_size, 12)
loss = F.mse_loss(model(x), x)
loss.backward()
