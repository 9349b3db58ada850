# cell given a pair: crash: AttributeError: 'tuple' object has no attribute 'dim'
# right: h = self.rnn(x[:, i], h)
import torch
import torch.nn as nn


class LSTMCellModel(nn.Module):
    def __init__(self, feature_dim: int, rnn_size: int, num_classes: int):
        super(LSTMCellModel, self).__init__()
        self.rnn_size = rnn_size
        self.rnn = nn.GRUCell(feature_dim, rnn_size)
        self.head = nn.Linear(rnn_size, num_classes)

    def forward(self, x: torch.Tensor):
        batch = x.size(0)
        h = torch.zeros(batch, self.rnn_size)
        states = []
        for i in range(x.size(1)):
            h = self.rnn(x[:, i], (h, h))  # error: [RSG802]
            states.append(h)
        out = torch.stack(states, dim=1)
        return self.head(out)

