# softmax over the batch: mixes samples
# right: scores = torch.log_softmax(self.fc(outputs), dim=-1)
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN


class AcousticModel(nn.Module):
    def __init__(self, num_filters, num_layers, feature_dim=5, hidden_size=8, bidirectional=True, tagset_size=9):
        super().__init__()
        self.num_directions = 1 + int(bidirectional)
        self.conv = nn.Conv1d(feature_dim, num_filters, kernel_size=3, padding=1)
        self.bn = nn.BatchNorm1d(num_filters)
        self.layer = LSTM(input_size=num_filters, hidden_size=hidden_size, num_layers=num_layers, bidirectional=bidirectional)
        self.fc = nn.Linear(hidden_size * self.num_directions, tagset_size)

    def forward(self, x):
        x = x.permute(1, 2, 0)
        x = F.relu(self.bn(self.conv(x)))
        x = x.permute(2, 0, 1)
        outputs, _ = self.layer(x)
        scores = torch.log_softmax(self.fc(outputs), dim=1)  # error: [RSG702]
        return scores

