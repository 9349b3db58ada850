# softmax over the batch: mixes samples
# right: weights = F.softmax(self.attention(torch.tanh(rnn_out)), dim=0)
import torch
import torch.nn as nn
import torch.nn.functional as F


class Classifier(nn.Module):
    n_features = 9
    channels = 16
    hidden_dim = 4
    layers = 2
    output_dim = 6

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(self.n_features, self.channels, kernel_size=3, padding=1)
        self.gru = nn.GRU(
            self.channels,
            self.hidden_dim,
            self.layers,
            dropout=0.1,
            bidirectional=False,
        )
        self.attention = nn.Linear(self.hidden_dim, 1)
        self.linear = nn.Linear(self.hidden_dim, self.output_dim)

    def forward(self, x):
        x = x.permute(1, 2, 0)
        x = F.relu(self.conv(x))
        x = x.permute(2, 0, 1)
        rnn_out, hn = self.gru(x)
        weights = F.softmax(self.attention(torch.tanh(rnn_out)), dim=1)  # error: [RSG702]
        x = (weights * rnn_out).sum(dim=0)
        return F.log_softmax(self.linear(x), dim=-1)
