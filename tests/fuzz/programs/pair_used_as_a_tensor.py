# pair used as a tensor: crash: RuntimeError: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor
# right: y, (state, memory) = self.encoder(x)
import argparse
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--n_features", type=int, default=6)
parser.add_argument("--units", type=int, default=20)
parser.add_argument("--num_layers", type=int, default=1)
parser.add_argument("--dec_dim", type=int, default=12)
config = parser.parse_args([])


class Autoencoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder = nn.LSTM(input_size=config.n_features, hidden_size=config.units, num_layers=config.num_layers)
        self.decoder = nn.LSTM(config.units, config.dec_dim, config.num_layers)
        self.out = nn.Linear(config.dec_dim, config.n_features)

    def forward(self, x):
        length = x.size(0)
        y, state = self.encoder(x)
        state = state[-1]
        seq = state.unsqueeze(0).repeat(length, 1, 1)  # error: [RSG305]
        y, _ = self.decoder(seq)
        return self.out(y)

