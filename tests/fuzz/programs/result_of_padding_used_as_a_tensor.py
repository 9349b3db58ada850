# result of padding used as a tensor: crash: TypeError: linear(): argument 'input' (position 1) must be Tensor, not tuple
# right: out, _ = pad_packed_sequence(output, batch_first=True)
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layer = nn.Linear(9, 12)
        self.encoder = nn.LSTM(12, 20, 2, batch_first=True)
        self.decoder = nn.Linear(20, 10)

    def forward(self, x, lens):
        x = torch.tanh(self.input_layer(x))
        x_packed = pack_padded_sequence(x, lens, batch_first=True)
        output, _ = self.encoder(x_packed)
        out = pad_packed_sequence(output, batch_first=True)  # error: [RSG406]
        return self.decoder(out)

