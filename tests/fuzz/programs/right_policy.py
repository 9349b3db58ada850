# right
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

NIN = 8


class RecurrentPolicy(nn.Module):
    def __init__(self, nhid):
        super().__init__()
        self.nhid = nhid
        self.body = nn.Linear(NIN, 10)
        self.gru = nn.GRU(10, nhid)
        self.actor = nn.Linear(nhid, 20)

    def forward(self, x, masks):
        """x: [seq, batch, dim] input"""
        time, n = x.shape[:2]
        x = torch.relu(self.body(x))
        h = torch.zeros(1, n, self.nhid)
        outputs = []
        for t in range(time):
            h = h * masks[t].view(1, -1, 1)
            out, h = self.gru(x[t].unsqueeze(0), h)
            outputs.append(out)
        out = torch.cat(outputs, dim=0)
        return self.actor(out)


model = RecurrentPolicy(12)
x = torch.randn(4, 5, 8)
masks = torch.ones(4, 5)
actions = torch.randint(0, 20, (4, 5))
logits = model(x, masks)
loss = F.cross_entropy(logits.reshape(-1, 20), actions.reshape(-1))
loss.backward()
