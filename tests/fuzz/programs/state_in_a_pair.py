# state in a pair: crash: AttributeError: 'tuple' object has no attribute 'dim'
# right: out, _ = self.rnn(x, hx)
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN

INPUT_DIM = 12
N_FILTERS = 8
N_HIDDEN = 5


class Forecaster(nn.Module):
    def __init__(self):
        super(Forecaster, self).__init__()
        self.conv = nn.Conv1d(INPUT_DIM, N_FILTERS, kernel_size=3, padding=1)
        self.bn = nn.BatchNorm1d(N_FILTERS)
        self.rnn = RNN(
            N_FILTERS,
            N_HIDDEN,
        )
        self.hidden2tag = nn.Linear(N_HIDDEN, 1)

    def forward(self, x):
        x = x.permute(1, 2, 0)
        x = F.relu(self.bn(self.conv(x)))
        x = x.permute(2, 0, 1)
        bs = x.size(1)
        hx = torch.zeros(1, bs, N_HIDDEN)
        out, _ = self.rnn(x, (hx, hx))  # error: [RSG501]
        return self.hidden2tag(out).squeeze(-1)

