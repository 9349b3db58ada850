# input_size wrong: crash: RuntimeError: input.size(-1) must be equal to input_size. Expected 9, got 6
# right: self.encoder = GRU(feature_dim, units, nlayers, bidirectional=True, batch_first=True)
import torch
import torch.nn as nn
from torch.nn import GRU, LSTM, RNN
class PairModel(nn.Module):
    def __init__(self, feature_dim=6, units=9, nlayers=3):
        super().__init__()
        self.encoder = GRU(units, units, nlayers, bidirectional=True, batch_first=True)  # error: [RSG203]
        self.compare = nn.Linear(2 * (units * 2), 1)

    def encode(self, x):
        outputs = self.encoder(x)[0]
        features = torch.mean(outputs, 1)
        return features

    def forward(self, x, y):
        both = torch.cat([self.encode(x), self.encode(y)], dim=-1)
        return self.compare(both)[:, 0]


model = PairModel(feature_dim=6, units=9, nlayers=3)
batch_size, seq_len = 4, 4
x = torch.randn(batch_size, seq_len, 6)
y = torch.randn(batch_size, seq_len, 6)
score = model(x, y)
