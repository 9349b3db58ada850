# wrong way back from Conv1d: crash: RuntimeError: input.size(-1) must be equal to input_size. Expected 20, got 7
# right: x = x.permute(0, 2, 1)
from types import SimpleNamespace

import torch
import torch.nn as nn
import torch.nn.functional as F
opt = SimpleNamespace(in_dim=10, n_filters=20, hidden_dim=4, n_layers=3, output_size=12)


class SequenceLabeler(nn.Module):
    def __init__(self, opt):
        super().__init__()
        self.opt = opt
        self.conv = nn.Conv1d(opt.in_dim, opt.n_filters, kernel_size=3, padding=1)
        self.gru = torch.nn.GRU(
            opt.n_filters,
            opt.hidden_dim,
            opt.n_layers,
            batch_first=True,
            dropout=0.2,
        )
        self.head = nn.Linear(opt.hidden_dim, opt.output_size)

    def _init_hidden(self, batch_size):
        return torch.zeros(self.opt.n_layers, batch_size, self.opt.hidden_dim)

    def forward(self, x):
        x = x.permute(0, 2, 1)
        x = F.relu(self.conv(x))  # error: [RSG703]
        x = x.permute(2, 1, 0)  # error: [RSG301]
        batch = x.shape[0]
        state = self._init_hidden(batch)
        outputs, _ = self.gru(x, state)
        scores = self.head(outputs.reshape(-1, outputs.size(2)))
        scores = scores.view(outputs.size(0), outputs.size(1), -1)
        return scores


model = SequenceLabeler(opt)
B = 7
steps = 5
x = torch.randn(B, steps, 10)
scores = model(x)
