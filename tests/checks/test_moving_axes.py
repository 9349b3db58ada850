"""Moved, cut and joined axes: right programs that look wrong, and wrong ones in other spellings than the pages have."""

from __future__ import annotations

import re

import pytest

from rnnshape_guard.findings import Severity
from rnnshape_guard.settings import Settings
from rnnshape_guard.static.judgement import judge
from tests.checks.programs import said

WRONG = {
    "neighbouring frames of an even number of steps, joined over the batch": """
class Pyramid(nn.Module):
    def __init__(self, bands, h):
        super().__init__()
        self.rnn = nn.GRU(2 * bands, h, bidirectional=True)

    def forward(self, frames):
        steps, batch, bands = frames.shape
        if steps % 2:
            frames = frames[: steps - 1]
        joined = frames.contiguous().view(steps // 2, batch, 2 * bands)  # RSG303
        return self.rnn(joined)[0]
""",
    "states of samples viewed as states of layers": """
class Resumed(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.layers, self.h = layers, h
        self.rnn = nn.GRU(d, h, layers, batch_first=True)

    def forward(self, x, state):
        # state: (batch, layers, hidden)
        batch = x.size(0)
        state = state.view(self.layers, batch, self.h)  # RSG303
        return self.rnn(x, state)[0]

def resume(x, state):
    return Resumed(3, 4, 2)(x, state)
""",
    "one side of a loss alone loses the batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.head = nn.Linear(h, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[1][-1])

def step(model, x, y):
    return F.mse_loss(model(x).squeeze(), y)  # RSG307

def evaluate(x, y):
    return step(Net(3, 4), x, y)
""",
    "rows of images viewed in front of their batch": """
class Rows(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.rnn = nn.GRU(width, hidden)

    def forward(self, pictures, seq_len, width):
        # pictures arrive as (batch, 1, 16, 16)
        rows = pictures.view(seq_len, -1, width)  # RSG303
        out, h = self.rnn(rows)
        return h[0]
""",
    "turned although the layer has the batch first": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        batch_size = x.size(0)
        out, _ = self.rnn(x.transpose(0, 1))  # RSG301
        return self.fc(out[-1])
""",
    "turned behind the layer": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.permute(1, 0, 2)  # RSG301
        return self.fc(out.mean(dim=1))
""",
    "features and steps swapped in front of a layer": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16, batch_first=True)

    def forward(self, x):
        # x: (batch, time, features)
        x = x.permute(0, 2, 1)  # RSG301
        out, _ = self.rnn(x)
        return out
""",
    "a permute that moves nothing": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16, batch_first=True)

    def forward(self, x):
        # x: (seq_len, batch, features)
        out, _ = self.rnn(torch.permute(x, (0, 1, 2)))  # RSG301
        return out
""",
    "turned in front of a Linear": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.transpose(1, 2)  # RSG301
        return self.fc(out)


net = Net()
net(torch.randn(4, 7, 8))
""",
    "two axes of three": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.emb = nn.Embedding(100, size)
        self.rnn = nn.GRU(size, 16, batch_first=True)

    def forward(self, tokens):
        batch, steps = tokens.shape
        out, h = self.rnn(self.emb(tokens))
        return out.permute(1, 0)  # RSG302
""",
    "a matrix transpose of three axes": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16, batch_first=True)

    def forward(self, x):
        # x: (batch, time, features)
        out, h = self.rnn(x)
        return out.t()  # RSG302
""",
    "an axis that a state has not": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16, batch_first=True)

    def forward(self, x):
        b, t, f = x.shape
        out, h = self.rnn(x)
        return h[-1].transpose(1, 2)  # RSG302
""",
    "sizes by name, seq first": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)

    def forward(self, x):
        batch, seq = x.size(0), x.size(1)
        x = x.reshape(seq, batch, -1)  # RSG303
        out, _ = self.rnn(x)
        return out[-1]
""",
    "an output viewed back": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.LSTM(size, hidden)

    def forward(self, x):
        T, B, _ = x.shape
        out, _ = self.rnn(x)
        return out.view(B, T, self.hidden)  # RSG303
""",
    "steps joined with the batch, taken apart the wrong way round": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.fc = nn.Linear(size, hidden)
        self.rnn = nn.LSTM(hidden, hidden)

    def forward(self, x):
        B, T, D = x.shape
        y = self.fc(x.view(B * T, D))
        y = y.view(T, B, -1)  # RSG303
        out, _ = self.rnn(y)
        return out
""",
    "columns of a feature map": """
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.conv = nn.Conv2d(1, 32, 3)
        self.rnn = nn.LSTM(32, hidden, batch_first=True)

    def forward(self, image):
        maps = self.conv(image)
        b, c, h, w = maps.size()
        out, _ = self.rnn(maps.view(b, h * w, c))  # RSG303
        return out
""",
    "channels of a convolution as features": """
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.conv = nn.Conv1d(12, 32, 3, padding=1)
        self.rnn = nn.LSTM(32, hidden, batch_first=True)

    def forward(self, x):
        y = self.conv(x)
        y = y.view(y.size(0), y.size(2), y.size(1))  # RSG303
        return self.rnn(y)[0]
""",
    "both states": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.LSTM(size, hidden, num_layers=2, batch_first=True, bidirectional=True)

    def forward(self, x):
        _, (h, c) = self.rnn(x)
        h = h.view(x.size(0), -1)  # RSG304
        c = c.reshape(x.shape[0], -1)  # RSG304
        return torch.cat((h, c), dim=1)
""",
    "rows of two directions": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.GRU(size, hidden, bidirectional=True, batch_first=True)

    def forward(self, x):
        _, h = self.rnn(x)
        return h.view(-1, 2 * self.hidden)  # RSG304
""",
    "a decoder's state in one layer": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.GRU(size, hidden, bidirectional=True, batch_first=True)

    def forward(self, x):
        batch = x.size(0)
        _, h = self.rnn(x)
        return h.view(1, batch, 2 * self.hidden)  # RSG304
""",
    "directions forgotten in a state": """
class Net(nn.Module):
    def __init__(self, size, hidden, layers):
        super().__init__()
        self.layers, self.hidden = layers, hidden
        self.rnn = nn.LSTM(size, hidden, layers, batch_first=True, bidirectional=True)

    def forward(self, x):
        _, (h, _) = self.rnn(x)
        return h.reshape(self.layers, x.size(0), self.hidden)  # RSG305
""",
    "literal sizes": """
rnn = nn.LSTM(10, 20, 2, batch_first=True)
out, (h, c) = rnn(torch.randn(4, 6, 10))
flat = out.reshape(4, 6 * 10)  # RSG305
""",
    "a view behind a transpose": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.LSTM(size, hidden, batch_first=False)

    def forward(self, x):
        T, B, _ = x.shape
        out, _ = self.rnn(x)
        return out.transpose(0, 1).view(B * T, -1)  # RSG306
""",
    "a squeeze of scores": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.LSTM(size, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        _, (h, _) = self.rnn(x)
        return torch.sigmoid(self.fc(h[-1])).squeeze()  # RSG307
""",
    "a function that squeezes": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.GRU(size, hidden, batch_first=True)

    def forward(self, x):
        _, h = self.rnn(x)
        return torch.squeeze(h)  # RSG307
""",
    "thrown away": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.GRU(size, hidden, batch_first=True)

    def forward(self, x):
        # x: (time, batch, features)
        x.permute(1, 0, 2)  # RSG308
        out, _ = self.rnn(x)
        out.contiguous().view(-1, 16)  # RSG308
        return out
""",
    "a state turned and read at its last row": """
class Net(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.lstm = nn.LSTM(inp, hid, batch_first=True)
        self.fc = nn.Linear(hid, 2)
    def forward(self, x):
        out, (h, c) = self.lstm(x)
        h = h.permute(1, 0, 2)  # RSG301
        out = self.fc(h[-1])
        return out
""",
    "layers taken apart over the batch": """
class E(nn.Module):
    def __init__(self, vocab, emb, hid, n_layers=2):
        super().__init__()
        self.n_layers, self.hid = n_layers, hid
        self.emb = nn.Embedding(vocab, emb)
        self.rnn = nn.LSTM(emb, hid, n_layers, bidirectional=True, batch_first=True)
    def forward(self, x):
        bs = x.size(0)
        out, (h, c) = self.rnn(self.emb(x))
        h = h.view(self.n_layers, bs, 2 * self.hid)  # RSG304
        return out, h
""",
    "a batch size from the constructor": """
class E(nn.Module):
    def __init__(self, emb, hid, batch_size):
        super().__init__()
        self.batch_size = batch_size
        self.rnn = nn.GRU(emb, hid, 2, batch_first=True)
        self.fc = nn.Linear(2 * hid, 1)
    def forward(self, x):
        out, h = self.rnn(x)
        return self.fc(h.view(self.batch_size, -1))  # RSG304
""",
    "directions behind the batch": """
class M(nn.Module):
    def __init__(self, inp, hid, layers):
        super().__init__()
        self.hid, self.layers = hid, layers
        self.rnn = nn.GRU(inp, hid, layers, bidirectional=True, batch_first=True)
    def forward(self, x):
        B = x.size(0)
        out, h = self.rnn(x)
        h = h.view(self.layers, B, 2, self.hid)  # RSG304
        return h[-1].sum(1)
""",
    "directions of an output, batch in front": """
class E(nn.Module):
    def __init__(self, emb, hid):
        super().__init__()
        self.hid = hid
        self.rnn = nn.GRU(emb, hid, bidirectional=True)
    def forward(self, x):
        seq_len, batch, _ = x.shape
        out, h = self.rnn(x)
        out = out.view(batch, seq_len, 2, self.hid)  # RSG303
        return out[:, -1, 0]
""",
    "the steps left to -1": """
class E(nn.Module):
    def __init__(self, emb, hid, batch_size):
        super().__init__()
        self.rnn = nn.GRU(emb, hid)
        self.emb_dim = emb
    def forward(self, x):
        batch_size, seq_len, emb = x.shape
        x = x.view(-1, batch_size, emb)  # RSG303
        out, h = self.rnn(x)
        return h
""",
    "axes swapped by reshape": """
class RNN(nn.Module):
    def __init__(self, n_features, hidden):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden, batch_first=True)
    def forward(self, x):
        x = x.reshape(x.shape[0], x.shape[2], x.shape[1])  # RSG303
        out, (h, c) = self.lstm(x)
        return out
""",
    "stacked steps viewed as a batch": """
class RNN(nn.Module):
    def __init__(self, n_features, hidden):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.LSTMCell(n_features, hidden)
        self.fc = nn.Linear(hidden, 3)
    def forward(self, x):
        batch_size, seq_len, _ = x.size()
        h = torch.zeros(batch_size, self.hidden)
        c = torch.zeros(batch_size, self.hidden)
        outs = []
        for t in range(seq_len):
            h, c = self.cell(x[:, t, :], (h, c))
            outs.append(h)
        outs = torch.stack(outs).view(batch_size, seq_len, self.hidden)  # RSG303
        return self.fc(outs)
""",
    "joined steps viewed as a batch": """
class M(nn.Module):
    def __init__(self, inp, hid):
        super().__init__()
        self.hid = hid
        self.cell = nn.GRUCell(inp, hid)
    def forward(self, x):
        B, T, D = x.shape
        h = x.new_zeros(B, self.hid)
        outs = []
        for t in range(T):
            h = self.cell(x[:, t], h)
            outs.append(h)
        return torch.cat(outs).view(B, T, self.hid)  # RSG303
""",
    "all steps in one row for each sample": """
class Net(nn.Module):
    def __init__(self, inp, hid, T):
        super().__init__()
        self.rnn = nn.LSTM(inp, hid)
        self.fc = nn.Linear(hid * T, 2)
    def forward(self, x):
        # x: seq_len x batch x features
        seq_len, batch, _ = x.shape
        out, _ = self.rnn(x)
        return self.fc(out.view(batch, -1))  # RSG303
""",
    "a feature map with its width in front": """
class DS(nn.Module):
    def __init__(self, hid):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 32, (41, 11), stride=(2, 2)), nn.BatchNorm2d(32), nn.Hardtanh(0, 20))
        self.rnn = nn.GRU(32 * 61, hid, batch_first=True)
    def forward(self, x):
        x = self.conv(x)
        sizes = x.size()
        x = x.view(sizes[0], sizes[3], sizes[1] * sizes[2])  # RSG303
        out, _ = self.rnn(x)
        return out
""",
    "sizes named by a script": """
batch_size = 8
seq_len = 12
x = torch.randn(batch_size, seq_len, 5)
lstm = nn.LSTM(5, 6)
x = x.view(seq_len, batch_size, 5)  # RSG303
out, _ = lstm(x)
""",
    "turned out of habit": """
class M(nn.Module):
    def __init__(self, vocab, inp, hid):
        super().__init__()
        self.emb = nn.Embedding(vocab, inp)
        self.rnn = nn.GRU(inp, hid, batch_first=True)
        self.fc = nn.Linear(hid, 1)
    def forward(self, text):
        # text = [batch size, sent len]
        embedded = self.emb(text).permute(1, 0, 2)  # RSG301
        out, h = self.rnn(embedded)
        return self.fc(h.squeeze(0))
""",
    "turned between two layers of one layout": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.lower = nn.LSTM(size, 16, batch_first=True)
        self.upper = nn.LSTM(16, 16, batch_first=True)

    def forward(self, x):
        out, _ = self.lower(x)
        out = out.permute(1, 0, 2)  # RSG301
        out, _ = self.upper(out)
        return out
""",
}

RIGHT = {
    "neighbouring frames of an even number of steps": """
class Pyramid(nn.Module):
    def __init__(self, bands, h):
        super().__init__()
        self.rnn = nn.GRU(2 * bands, h, batch_first=True)

    def forward(self, frames):
        batch, steps, bands = frames.shape
        if steps % 2:
            frames = frames[:, :-1]
        joined = frames.contiguous().view(batch, steps // 2, bands * 2)
        return self.rnn(joined)[0]
""",
    "neighbouring frames brought together first": """
class Pyramid(nn.Module):
    def __init__(self, bands, h):
        super().__init__()
        self.rnn = nn.GRU(2 * bands, h, bidirectional=True)

    def forward(self, frames):
        steps, batch, bands = frames.shape
        if steps % 2:
            frames = frames[:-1]
        pairs = frames.contiguous().view(steps // 2, 2, batch, bands)
        joined = pairs.transpose(1, 2).reshape(steps // 2, batch, 2 * bands)
        return self.rnn(joined)[0]
""",
    "the state of one layer viewed as it lies": """
class Resumed(nn.Module):
    def __init__(self, d, h, layers=1):
        super().__init__()
        self.layers, self.h = layers, h
        self.rnn = nn.GRU(d, h, layers, batch_first=True)

    def forward(self, x, state):
        # state: (batch, layers, hidden)
        batch = x.size(0)
        state = state.view(self.layers, batch, self.h)
        return self.rnn(x, state)[0]

def resume(x, state):
    return Resumed(3, 4)(x, state)
""",
    "both sides of a loss lose the batch together": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.head = nn.Linear(h, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[1][-1])

def step(model, x, y):
    return F.mse_loss(model(x).squeeze(), torch.squeeze(y))

def evaluate(x, y):
    return step(Net(3, 4), x, y)
""",
    "a recurrent layer along the sensors, which reads their steps as features": """
class Correlations(nn.Module):
    def __init__(self, units, time_step):
        super().__init__()
        self.rnn = nn.GRU(time_step, units)

    def forward(self, x):
        batch, time_step, features = x.shape
        out, _ = self.rnn(x.permute(2, 0, 1).contiguous())
        return out
""",
    "a squeeze that drops the axis which a transpose of two leaves out": """
class Mixed(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.rnn = nn.GRU(n, n, batch_first=True)

    def forward(self, scales, weights, x):
        out, _ = self.rnn(x)
        return torch.matmul(scales.permute(2, 1, 0), weights.t()).squeeze().t(), out
""",
    "relative positions are shifted by a view there and a view back": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)

    def forward(self, x, scores):
        batch, heads, queries, keys = scores.shape
        padded = F.pad(scores, [1, 0])
        padded = padded.view(batch, heads, keys + 1, queries)
        return padded[:, :, 1:].view_as(scores), self.rnn(x)
""",
    "relative positions of which only the sizes are known": """
class Net(nn.Module):
    def __init__(self, pad):
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.pad = pad

    def forward(self, x, scores):
        # scores: (heads, keys, batch, queries)
        padded = self.pad(scores, [1, 0])
        padded = padded.view(scores.size(0), scores.size(1), scores.size(3) + 1, scores.size(2))
        return padded[:, :, 1:].view_as(scores), self.rnn(x)
""",
    "rows of images viewed behind their batch, then turned": """
class Rows(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.rnn = nn.GRU(width, hidden)

    def forward(self, pictures, seq_len, width):
        # pictures arrive as (batch, 1, 16, 16)
        rows = pictures.view(-1, seq_len, width).permute(1, 0, 2)
        out, h = self.rnn(rows)
        return h[0]
""",
    "moved there and back": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.conv = nn.Conv1d(size, size, 3, padding=1)
        self.rnn = nn.LSTM(size, 16, batch_first=True)

    def forward(self, x):
        # x: (batch, time, features)
        x = self.conv(x.transpose(1, 2)).transpose(1, 2)
        out, _ = self.rnn(x)
        return out[:, -1]
""",
    "turned for a time-first layer": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16, batch_first=False)

    def forward(self, x):
        B, T, F_ = x.shape
        x = x.permute(1, 0, 2)
        out, _ = self.rnn(x)
        return out[-1]
""",
    "turned behind the layer and read right": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16, batch_first=True)

    def forward(self, x):
        out, _ = self.rnn(x)
        return out.transpose(0, 1)[-1]
""",
    "time last for pooling": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16, batch_first=True)

    def forward(self, x):
        # x: (batch, time, features)
        out, _ = self.rnn(x)
        return F.adaptive_max_pool1d(out.permute(0, 2, 1), 1).squeeze(2)
""",
    "layers and directions taken apart in their order": """
class Net(nn.Module):
    def __init__(self, size, hidden, layers):
        super().__init__()
        self.layers, self.hidden = layers, hidden
        self.rnn = nn.LSTM(size, hidden, layers, batch_first=True, bidirectional=True)

    def forward(self, x):
        batch = x.size(0)
        _, (h, _) = self.rnn(x)
        h = h.view(self.layers, 2, batch, self.hidden)
        return torch.cat((h[-1, 0], h[-1, 1]), dim=1)
""",
    "one layer, one direction: nothing can mix": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.LSTM(size, hidden, batch_first=True)

    def forward(self, x):
        _, (h, _) = self.rnn(x)
        return h.view(-1, self.hidden), h.reshape(x.size(0), -1)
""",
    "the batch in front first": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.GRU(size, hidden, 2, batch_first=True)

    def forward(self, x):
        _, h = self.rnn(x)
        return h.permute(1, 0, 2).contiguous().view(x.size(0), -1)
""",
    "rows kept apart": """
class Net(nn.Module):
    def __init__(self, size, hidden, classes):
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.GRU(size, hidden, 2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, x):
        batch, steps, _ = x.shape
        out, h = self.rnn(x)
        scores = self.fc(out.contiguous().view(-1, 2 * self.hidden))
        return scores.view(batch, steps, -1), h.view(-1, self.hidden)
""",
    "literal sizes prove no order": """
x = torch.randn(5, 5, 8)
rnn = nn.GRU(8, 16, batch_first=True)
out, _ = rnn(x.view(5, 5, 8))
again = out.reshape(5, 5, 16)
""",
    "heads of attention": """
class Net(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads, self.size = heads, size
        self.rnn = nn.GRU(size, size, batch_first=True)

    def forward(self, x):
        b, t, d = x.shape
        out, _ = self.rnn(x)
        out = out.view(b, t, self.heads, d // self.heads).transpose(1, 2)
        return out.transpose(1, 2).contiguous().view(b, t, d)
""",
    "chunks of a long sequence": """
class Net(nn.Module):
    def __init__(self, size, chunk):
        super().__init__()
        self.chunk = chunk
        self.rnn = nn.GRU(size, 16, batch_first=True)

    def forward(self, x):
        b, t, d = x.shape
        pieces = x.view(b * (t // self.chunk), self.chunk, d)
        out, _ = self.rnn(pieces)
        return out.reshape(b, t, 16)
""",
    "a split view behind a permute": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.GRU(size, hidden, bidirectional=True)

    def forward(self, x):
        # x: (time, batch, features)
        T, B, _ = x.shape
        out, _ = self.rnn(x)
        return out.transpose(0, 1).view(B, T, 2, self.hidden)
""",
    "a copy in between": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.GRU(size, hidden)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        T, B, _ = x.shape
        out, _ = self.rnn(x)
        turned = out.transpose(0, 1)
        return turned.contiguous().view(B * T, -1)
""",
    "a squeeze of one recording's scores, which pick among its steps": """
class Denoiser(nn.Module):
    def __init__(self, bands, h):
        super().__init__()
        self.rnn = nn.GRU(bands, h, batch_first=True)
        self.level = nn.Linear(h, 1)

    def forward(self, x):
        # x: (batch, time, bands)
        out, _ = self.rnn(x)
        loud = self.level(out).squeeze() > -10.0
        return out[:, loud]
""",
    "squeezes that name their axis, or have nothing to drop": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.GRU(size, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        out, h = self.rnn(x)
        total = out.sum().squeeze()
        return h.squeeze(0), self.fc(out).squeeze(-1), total
""",
    "in place": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.GRU(size, hidden, batch_first=True)

    def forward(self, x):
        # x: (time, batch, features)
        x.transpose_(0, 1)
        out, _ = self.rnn(x)
        out.unsqueeze_(1)
        return out
""",
    "methods of other things": """
class Net(nn.Module):
    def __init__(self, size, hidden, window, log):
        super().__init__()
        self.rnn = nn.GRU(size, hidden, batch_first=True)
        self.window, self.log = window, log

    def forward(self, x):
        self.window.view(x)
        self.log.flatten()
        return self.rnn(x)[0]
""",
    "a sequence without a batch, turned": """
class Net(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.rnn = nn.GRU(size, hidden)

    def forward(self, x):
        out, _ = self.rnn(x)
        return out.permute(1, 0)
""",
    "groups of channels shuffled": """
class Net(nn.Module):
    def __init__(self, size, groups):
        super().__init__()
        self.groups = groups
        self.rnns = nn.ModuleList([nn.LSTM(size // groups, size // groups, batch_first=True) for _ in range(groups)])

    def forward(self, x):
        B, T, _ = x.shape
        parts = torch.chunk(x, self.groups, dim=-1)
        out = torch.stack([rnn(part)[0] for rnn, part in zip(self.rnns, parts)], dim=-1)
        out = torch.flatten(out, start_dim=-2, end_dim=-1)
        return out.reshape(B, T, self.groups, -1).transpose(-1, -2).contiguous().view(B, T, -1)
""",
    "kernels of a chunk joined with the features": """
class Net(nn.Module):
    def __init__(self, size, chunk):
        super().__init__()
        self.chunk = chunk
        self.rnn = nn.LSTM(size * chunk, 16, batch_first=True)
        self.fc = nn.Linear(16, size * chunk)

    def forward(self, x):
        B, T, Q, C = x.shape
        y, _ = self.rnn(x.view(B * T, -1, self.chunk * C))
        y = self.fc(y).view(B, T, Q, C).transpose(1, 2).contiguous()
        y, _ = self.rnn(y.view(B * Q, -1, self.chunk * C))
        return y
""",
    "rows chosen by a list": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.GRU(size, 16, batch_first=True)

    def forward(self, x, groups):
        B, T, _ = x.shape
        rows = []
        for at, group in enumerate(groups):
            rows.extend(at * B + one for one in group)
        out, _ = self.rnn(x[rows])
        return out.transpose(1, 2)
""",
    "a whole sequence is one sample": """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 16)
        self.fc = nn.Linear(16, 1)

    def forward(self, seq):
        out, _ = self.rnn(seq.view(len(seq), 1, -1))
        return self.fc(out.view(len(seq), -1))[-1]
""",
    "beams beside the batch": """
class Net(nn.Module):
    def __init__(self, size, hidden, beams):
        super().__init__()
        self.beams, self.hidden = beams, hidden
        self.rnn = nn.GRU(size, hidden, 2, batch_first=True)

    def forward(self, x):
        batch, steps, size = x.shape
        _, h = self.rnn(x)
        h = h.unsqueeze(2).expand(-1, -1, self.beams, -1).reshape(2, batch * self.beams, self.hidden)
        return h.view(2, batch, self.beams, self.hidden)[:, :, 0]
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_finds(program: str) -> None:
    expected = [(row, code) for row, line in enumerate(program.splitlines(), 1) for code in re.findall(r"RSG\d+", line)]
    assert said(program, "RSG101", "RSG103", "RSG2", "RSG3", "RSG4", "RSG7") == expected


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT.keys())
def test_is_silent(program: str) -> None:
    assert said(program, "RSG101", "RSG103", "RSG3") == []


def test_a_state_of_one_layer_mixes_nothing_so_the_finding_says_when() -> None:
    program = """
class Net(nn.Module):
    def __init__(self, size, hidden, layers=1):
        super().__init__()
        self.rnn = nn.GRU(size, hidden, layers, batch_first=True)

    def forward(self, x):
        _, h = self.rnn(x)
        return h.view(x.size(0), -1)
"""
    assert said(program, "RSG3") == [(9, "RSG304")]
    assert said(program + "\n\nmodel = Net(8, 16)\n", "RSG3") == []
    assert said(program + "\n\nmodel = Net(8, 16, layers=2)\n", "RSG3") == [(9, "RSG304")]


@pytest.mark.parametrize(
    ("statement", "use", "severity"),
    [
        ("last.view(len(x), -1)", "self.head(last)", Severity.NOTE),
        ("last.view(-1, 2)", "last + torch.zeros(5, 5, 7)", Severity.ERROR),
        ("out.transpose(0, 1)", "out[-1]", Severity.ERROR),
    ],
)
def test_a_view_thrown_away_weighs_little_where_what_follows_takes_the_tensor_as_it_is(
    statement: str, use: str, severity: Severity
) -> None:
    program = f"""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        out, _ = self.rnn(x)
        last = out[-1]
        {statement}
        return {use}


Net()(torch.randn(10, 5, 3))
"""
    found = judge(program, "program.py", Settings())
    assert [one.severity for one in found if one.code == "RSG308"] == [severity]
