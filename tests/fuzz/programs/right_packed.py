# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn import GRU, LSTM, RNN
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset


class VariableLengthRNN(nn.Module):
    def __init__(self, dict_size=16, embed_dim=20, hidden_dim=6, n_layers=3, output_dim=12, mlp_dim=9):
        super().__init__()
        self.encoder_embed = nn.Embedding(dict_size, embed_dim, padding_idx=0)
        self.rnn = LSTM(embed_dim, hidden_dim // 2, n_layers, bidirectional=True)
        self.linear = nn.Sequential(nn.Linear(hidden_dim // 2 * n_layers * 2, mlp_dim), nn.ReLU(), nn.Linear(mlp_dim, output_dim))

    def forward(self, x, x_len):
        # x: [seq_len, batch]
        embedded = self.encoder_embed(x)
        packed_input = pack_padded_sequence(embedded, x_len.cpu(), enforce_sorted=False)
        rnn_out, (hn, cn) = self.rnn(packed_input)
        x = hn.permute(1, 0, 2).flatten(1)
        return self.linear(x)


model = VariableLengthRNN(dict_size=16, embed_dim=20, hidden_dim=6, n_layers=3, output_dim=12, mlp_dim=9)
x = torch.randint(0, 16, (6, 6))
x_len = torch.tensor([6, 3, 3, 3, 2, 2])
scores = model(x, x_len)
y = torch.randint(0, 12, (6,))
loss = F.cross_entropy(scores, y)
loss.backward()
