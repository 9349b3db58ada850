# True lands on bias: mixes samples
# right: self.layer = GRU(in_dim, nhid, n_layers, batch_first=True)
import torch.nn as nn
from torch.nn import GRU, LSTM, RNN

class RNNBlock(nn.Module):
    def __init__(self, in_dim: int = 6, nhid: int = 16, n_layers: int = 1):
        super(RNNBlock, self).__init__()
        self.layer = GRU(in_dim, nhid, n_layers, True)  # error: [RSG105]

    def forward(self, x: torch.Tensor):
        rnn_out, hn = self.layer(x)
        return rnn_out


class CRNN(nn.Module):
    def __init__(self, tagset_size: int = 20, in_dim: int = 6, nhid: int = 16, n_layers: int = 1):
        super(CRNN, self).__init__()
        self.encoder = RNNBlock(in_dim, nhid=nhid, n_layers=n_layers)
        self.fc = nn.Linear(nhid, tagset_size)

    def forward(self, x: torch.Tensor):
        y = self.fc(self.encoder(x))
        return y.mean(1)
