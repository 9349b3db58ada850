# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

FEATURE_DIM = 14
H_DIM = 5
LAYER_DIM = 2


class Matcher(nn.Module):
    def __init__(self):
        super(Matcher, self).__init__()
        self.encoder = nn.LSTM(input_size=FEATURE_DIM, hidden_size=H_DIM, num_layers=LAYER_DIM, batch_first=True, bidirectional=False)
        self.compare = nn.Linear(2 * H_DIM, 1)

    def encode_one(self, x):
        rnn_out, hn = self.encoder(x)
        hn = hn[0]
        final = hn[-1]
        return final

    def forward(self, x, y):
        both = torch.cat([self.encode_one(x), self.encode_one(y)], dim=-1)
        return self.compare(both).view(-1)


model = Matcher()
batch_size, seq_len = 4, 4
x = torch.randn(batch_size, seq_len, 14)
y = torch.randn(batch_size, seq_len, 14)
score = model(x, y)
label = torch.rand((4,))
loss = F.mse_loss(score, label)
loss.backward()
