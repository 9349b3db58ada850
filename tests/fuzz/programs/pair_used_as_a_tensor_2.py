# pair used as a tensor: crash: RuntimeError: expand(torch.FloatTensor{[1, 1, 6, 16]}, size=[-1, 6, -1]): the number of sizes provided (3) must be greater or equal to the number of dimensions in the tensor (4)
# right: h_n = h_n[0]
import torch
import torch.nn as nn

class Reconstructor(nn.Module):
    def __init__(self, dec_dim, units=9, num_layers=1):
        super().__init__()
        self.encoder = nn.LSTM(
            4,
            units,
            bidirectional=False,
            batch_first=True,
        )
        self.mu = nn.Linear(units, 16)
        self.logvar = nn.Linear(units, 16)
        self.decoder = nn.LSTM(16, dec_dim, num_layers, batch_first=True)
        self.out = nn.Linear(dec_dim, 4)

    def forward(self, x):
        length = x.size(1)
        out, h_n = self.encoder(x)
        features = h_n[0]
        mu, logvar = self.mu(features), self.logvar(features)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        seq = z.unsqueeze(1).expand(-1, length, -1)  # error: [RSG305]
        outputs, _ = self.decoder(seq)
        return self.out(outputs)
