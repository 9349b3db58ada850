# bidirectional dropped: crash: IndexError: index -2 is out of bounds for dimension 0 with size 1
# right: self.rnn = torch.nn.LSTM(d_model, n_hidden, bidirectional=True)
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
class Encoder(nn.Module):
    def __init__(self, num_tokens: int, d_model: int, n_hidden: int, num_classes: int, mlp_dim: int):
        super().__init__()
        self.encoder_embed = nn.Embedding(num_tokens, d_model, padding_idx=0)
        self.rnn = torch.nn.LSTM(d_model, n_hidden)
        self.head = nn.Sequential(nn.Linear(2 * n_hidden, mlp_dim), nn.ReLU(), nn.Dropout(0.1), nn.Linear(mlp_dim, num_classes))

    def forward(self, x: torch.Tensor, lens):
        e = self.encoder_embed(x)
        packed = pack_padded_sequence(e, lens, enforce_sorted=False)
        y, (state, memory) = self.rnn(packed)
        last = torch.cat((state[-2, :, :], state[-1, :, :]), dim=-1)  # error: [RSG403]
        return self.head(last)

