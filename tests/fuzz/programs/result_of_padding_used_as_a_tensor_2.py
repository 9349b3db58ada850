# result of padding used as a tensor: crash: TypeError: linear(): argument 'input' (position 1) must be Tensor, not tuple
# right: unpacked, _ = pad_packed_sequence(out)
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
class PackedLSTM(nn.Module):
    def __init__(self, in_dim, hidden_dim, num_classes, num_layers=3):
        super(PackedLSTM, self).__init__()
        self.layer = torch.nn.LSTM(in_dim, hidden_dim, num_layers)
        self.head = nn.Linear(hidden_dim, num_classes)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths.cpu())
        out, _ = self.layer(packed)
        unpacked = pad_packed_sequence(out)  # error: [RSG406]
        return F.log_softmax(self.head(unpacked), dim=2)
