"""Initial states: wrong in other spellings than the pages have, and right though they look wrong."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

WRONG = {
    "a state for whole chunks, and the rest of the samples in a shorter one": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def initial(self, n):
        return torch.zeros(1, n, self.h)

    def forward(self, x, h_0):
        return self.rnn(x, h_0)[0]

def embed(model: Net, samples, size=32):
    # samples: (batch, time, features)
    model = Net(6, 10)
    found = []
    for at in range(0, len(samples), size):
        chunk = samples[at : at + size]
        found.append(model(chunk, model.initial(size)))  # RSG505
    return torch.cat(found)
""",
    "a step that loses its axis on the way round": """
class Painter(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.out = nn.Linear(h, d)

    def forward(self, first, steps):
        step = torch.zeros(1, first.size(1), 3)
        state = (first, torch.zeros_like(first))
        for _ in range(steps):
            seen, state = self.rnn(step, state)  # RSG501
            step = self.out(seen[-1])
        return step

def paint(first):
    return Painter(3, 4)(first, 5)
""",
    "a state sized by what the permute put first": """
class Sensors(nn.Module):
    def __init__(self, sensors, hidden):
        super().__init__()
        self.hidden = hidden
        self.rnn = nn.LSTM(sensors, hidden)

    def forward(self, x):
        # (batch, time, sensors) -> (time, batch, sensors)
        x = x.transpose(0, 1)
        n_batch = x.size(0)
        h = torch.zeros(1, n_batch, self.hidden)  # RSG503
        c = torch.zeros(1, n_batch, self.hidden)
        return self.rnn(x, (h, c))[0]
""",
    "a learned state that is not expanded": """
class Reader(nn.Module):
    def __init__(self, d, hidden):
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, 1, hidden))
        self.rnn = nn.GRU(d, hidden, batch_first=True)

    def forward(self, x):
        batch_size, steps, _ = x.shape
        return self.rnn(x, self.start)[0]  # RSG505
""",
    "hypotheses of a beam in another order than their states": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.enc = nn.GRU(d, h, batch_first=True)
        self.dec = nn.GRU(d, h, batch_first=True)

    def forward(self, x, width: int = 4):
        batch, steps, _ = x.shape
        _, state = self.enc(x)
        first = x[:, 0].unsqueeze(1).repeat_interleave(width, dim=0)
        out, _ = self.dec(first, state.repeat(1, width, 1))  # RSG502
        return out

Net(3, 4)(torch.randn(2, 6, 3))
""",
    "a number that a caller brings for every batch of a loader": """
from torch.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 7, batch_first=True)

    def start(self, count):
        return torch.zeros(1, count, 7)

    def forward(self, x, h):
        return self.rnn(x, h)[0]

model = Net()
loader = DataLoader(TensorDataset(torch.randn(10, 6, 3)), batch_size=4)
h = model.start(4)  # RSG505
for (x,) in loader:
    model(x, h)
""",
    "states for one direction": """
class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, num_classes):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(hidden_size * 2, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(x.device)  # RSG501
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(x.device)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, 0])

RNN(3, 4, 2, 5)(torch.randn(2, 6, 3))
""",
    "a state for one layer of two": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, num_layers=2, batch_first=True)

    def init_hidden(self, batch_size):
        weight = next(self.parameters()).data
        return weight.new(1, batch_size, self.h).zero_()  # RSG501

    def forward(self, x):
        return self.rnn(x, self.init_hidden(x.shape[0]))[0]

Net(3, 4)(torch.randn(2, 6, 3))
""",
    "a state of another width": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(28, 128, 1, batch_first=True)

    def forward(self, x):
        h0 = torch.zeros(1, x.size(0), 64, device=x.device)  # RSG501
        return self.rnn(x, h0)[0]

Net()(torch.randn(2, 6, 28))
""",
    "a state without layers": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        b, t, _ = x.shape
        h0 = torch.zeros(b, self.h)  # RSG501
        return self.rnn(x, h0)[0]

Net(3, 4)(torch.randn(2, 6, 3))
""",
    "a state of the whole width for a projection": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(10, 20, proj_size=5, batch_first=True)

    def forward(self, x):
        h0 = x.new_zeros(1, x.size(0), 20)  # RSG501
        c0 = x.new_zeros(1, x.size(0), 20)
        return self.rnn(x, (h0, c0))[0]

Net()(torch.randn(2, 6, 10))
""",
    "learned states": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h0 = nn.Parameter(torch.zeros(1, 1, h))  # RSG501
        self.rnn = nn.GRU(d, h, bidirectional=True, batch_first=True)

    def forward(self, x):
        return self.rnn(x, self.h0.repeat(1, x.size(0), 1))[0]

Net(3, 4)(torch.randn(2, 6, 3))
""",
    "batch-first states": """
class Net(nn.Module):
    def __init__(self, input_dim, hidden_dim, n_layers):
        super().__init__()
        self.hidden_dim, self.n_layers = hidden_dim, n_layers
        self.lstm = nn.LSTM(input_dim, hidden_dim, n_layers, batch_first=True)

    def init_hidden(self, batch_size):
        hidden = torch.zeros(batch_size, self.n_layers, self.hidden_dim)  # RSG502
        cell = torch.zeros(batch_size, self.n_layers, self.hidden_dim)
        return hidden, cell

    def forward(self, x):
        batch_size = x.size(0)
        hidden = self.init_hidden(batch_size)
        out, hidden = self.lstm(x, hidden)
        return out
""",
    "literals the wrong way round": """
rnn = nn.GRU(10, 20, 2, batch_first=True)
x = torch.randn(5, 3, 10)
h0 = torch.randn(5, 2, 20)  # RSG502
output, hn = rnn(x, h0)
""",
    "a state turned before the call": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, 2, batch_first=True)

    def forward(self, x):
        h0 = torch.zeros(2, x.size(0), self.h)
        return self.rnn(x, h0.transpose(0, 1).contiguous())[0]  # RSG502

Net(3, 4)(torch.randn(5, 6, 3))
""",
    "the number of steps for the batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.LSTM(d, h)

    def forward(self, x):
        # x: [seq_len, batch, d]
        h0 = torch.zeros(1, len(x), self.h)  # RSG503
        c0 = torch.zeros(1, len(x), self.h)
        return self.rnn(x, (h0, c0))[0]
""",
    "the batch of a batch-first input read from axis 1": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        batch_size, seq_len, d = x.shape
        h0 = torch.zeros(1, x.shape[1], self.h)  # RSG503
        return self.rnn(x, h0)[0]
""",
    "one state for an LSTM": """
class Net(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.h, self.layers = h, layers
        self.rnn = nn.LSTM(d, h, layers, batch_first=True)
        self.fc = nn.Linear(h, 1)

    def init_hidden(self, n):
        return torch.zeros(self.layers, n, self.h)

    def forward(self, x):
        hidden = self.init_hidden(x.size(0))
        out, hidden = self.rnn(x, hidden)  # RSG504
        return self.fc(out)
""",
    "half of an encoder's state": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.enc = nn.GRU(d, h, batch_first=True)
        self.dec = nn.LSTM(d, h, batch_first=True)

    def forward(self, x, y):
        _, hidden = self.enc(x)
        return self.dec(y, hx=hidden)[0]  # RSG504

Net(3, 4)(torch.randn(2, 6, 3), torch.randn(2, 7, 3))
""",
    "a setting as the batch, and a loader's last batch": """
from torch.utils.data import DataLoader, TensorDataset

BATCH = 32

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 50, batch_first=True)
        self.hidden = None

    def reset(self):
        self.hidden = (torch.zeros(1, BATCH, 50), torch.zeros(1, BATCH, 50))  # RSG505

    def forward(self, x):
        self.reset()
        out, self.hidden = self.lstm(x, self.hidden)
        return out[:, -1]

data = DataLoader(TensorDataset(torch.randn(1000, 12, 1), torch.randn(1000)), batch_size=BATCH, shuffle=True)
net = Net()
for x, y in data:
    net(x)
""",
    "three arguments": """
class Decoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.cell = nn.LSTMCell(h, h)

    def forward(self, x, hidden, cell):
        out, (hidden, cell) = self.rnn(x, hidden, cell)  # RSG506
        return self.cell(out[-1], hidden[-1], cell[-1])  # RSG506
""",
}

WRONG["a state that is given the axis of the layers behind the batch"] = """
class Policy(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, state):
        # x: (batch, time, d), state: (batch, hidden)
        out, state = self.rnn(x, state.unsqueeze(1))  # RSG502
        return out, state.squeeze(1)
"""
WRONG["a state made for the batch where none is given"] = """
class Policy(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, state=None):
        if state is None:
            state = torch.zeros(x.size(0), self.h)
        return self.rnn(x, state.unsqueeze(1))  # RSG502
"""

RIGHT = {
    "a state that is given the axis of the layers": """
class Policy(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x, state=None):
        # x: (batch, time, d), state: (batch, hidden)
        if state is None:
            state = torch.zeros(x.size(0), self.h)
        return self.rnn(x, state.unsqueeze(0))
""",
    "a state of all layers, for one sample": """
class Policy(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.rnn = nn.GRU(d, h, layers, batch_first=True)
        self.start = nn.Parameter(torch.zeros(layers, h))

    def forward(self, x):
        return self.rnn(x, self.start.unsqueeze(1).repeat(1, x.size(0), 1))
""",
    "chunks of a batch trimmed to whole ones": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def initial(self, n):
        return torch.zeros(1, n, self.h)

    def forward(self, x, h_0):
        return self.rnn(x, h_0)[0]

def embed(model: Net, samples, size=32):
    # samples: (batch, time, features)
    model = Net(6, 10)
    whole = len(samples) // size * size
    samples = samples[:whole]
    for at in range(0, len(samples), size):
        model(samples[at : at + size], model.initial(size))
""",
    "chunks up to the last whole one": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def initial(self, n):
        return torch.zeros(1, n, self.h)

    def forward(self, x, h_0):
        return self.rnn(x, h_0)[0]

def embed(model: Net, samples, size=32):
    # samples: (batch, time, features)
    model = Net(6, 10)
    for at in range(0, len(samples) - size + 1, size):
        model(samples[at : at + size], model.initial(size))
""",
    "a short chunk is left out": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def initial(self, n):
        return torch.zeros(1, n, self.h)

    def forward(self, x, h_0):
        return self.rnn(x, h_0)[0]

def embed(model: Net, samples, size=32):
    # samples: (batch, time, features)
    model = Net(6, 10)
    for at in range(0, samples.size(0), size):
        chunk = samples[at : at + size]
        if chunk.size(0) < size:
            continue
        model(chunk, model.initial(size))
""",
    "a state for each chunk as it is": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def initial(self, n):
        return torch.zeros(1, n, self.h)

    def forward(self, x, h_0):
        return self.rnn(x, h_0)[0]

def embed(model: Net, samples, size=32):
    # samples: (batch, time, features)
    model = Net(6, 10)
    for at in range(0, samples.size(0), size):
        chunk = samples[at : at + size]
        model(chunk, model.initial(len(chunk)))
""",
    "pieces of the time, and a state for the batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def initial(self, n):
        return torch.zeros(1, n, self.h)

    def forward(self, x, h_0):
        return self.rnn(x, h_0)[0]

def embed(model: Net, samples, size=32):
    # samples: (batch, time, features)
    model = Net(6, 10)
    for at in range(0, samples.size(1), size):
        model(samples[:, at : at + size], model.initial(samples.size(0)))
""",
    "chunks that come out even": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def initial(self, n):
        return torch.zeros(1, n, self.h)

    def forward(self, x, h_0):
        return self.rnn(x, h_0)[0]

def embed(model: Net, samples, size=32):
    # samples: (batch, time, features)
    model = Net(6, 10)
    samples = torch.randn(96, 7, 6)
    for at in range(0, len(samples), 32):
        model(samples[at : at + 32], model.initial(32))
""",
    "a step that keeps its axis on the way round": """
class Painter(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.LSTM(d, h)
        self.out = nn.Linear(h, d)

    def forward(self, first, steps):
        step = torch.zeros(1, first.size(1), 3)
        state = (first, torch.zeros_like(first))
        for _ in range(steps):
            seen, state = self.rnn(step, state)
            step = self.out(seen[-1]).unsqueeze(0)
        return step

def paint(first):
    return Painter(3, 4)(first, 5)
""",
    "a learned state, expanded or of one sample": """
class Reader(nn.Module):
    def __init__(self, d, hidden):
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, 1, hidden))
        self.rnn = nn.GRU(d, hidden, batch_first=True)

    def forward(self, x, y, z):
        # x: (batch, time, d)
        # y: (1, time, d)
        out, _ = self.rnn(x, self.start.expand(-1, x.size(0), -1).contiguous())
        assert z.size(0) == 1
        batch = z.size(0)
        return out, self.rnn(y, self.start)[0], self.rnn(z, self.start)
""",
    "hypotheses of a beam in the order of their states": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gru = nn.GRU(d, h, batch_first=True)

    def forward(self, x, width: int = 4):
        _, state = self.gru(x)
        first = x[:, -1:].repeat_interleave(width, dim=0)
        out, _ = self.gru(first, state.repeat_interleave(width, dim=1))
        copies = x[:, -1:].repeat(width, 1, 1)
        return out, self.gru(copies, state.repeat(1, width, 1))
""",
    "the usual states": """
class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, num_classes, bidirectional=False):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dirs = 2 if bidirectional else 1
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(hidden_size * self.dirs, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers * self.dirs, x.size(0), self.hidden_size).to(x.device)
        c0 = torch.zeros_like(h0)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out)

RNN(3, 4, 2, 5, True)(torch.randn(2, 6, 3))
RNN(3, 4, 2, 5)(torch.randn(2, 6, 3))
""",
    "a state that may be given": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.LSTM(d, h, batch_first=True)

    def forward(self, x, state=None):
        if state is None:
            h = torch.zeros(1, x.size(0), self.h)
            state = (h, h.clone())
        return self.rnn(x, state)

net = Net(3, 4)
out, state = net(torch.randn(2, 6, 3))
out, state = net(torch.randn(2, 6, 3), state)
""",
    "a state kept batch-first and turned": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, 2, batch_first=True)

    def forward(self, x):
        h0 = torch.zeros(x.size(0), 2, self.h)
        out, h = self.rnn(x, h0.permute(1, 0, 2).contiguous())
        return out, h.permute(1, 0, 2)

Net(3, 4)(torch.randn(5, 6, 3))
""",
    "the batch read before the turn": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h)

    def forward(self, x):
        # x: (batch, time, features)
        n = x.size(0)
        h0 = x.new_zeros(1, n, self.h)
        return self.rnn(x.transpose(0, 1), h0)[0]

Net(3, 4)(torch.randn(5, 6, 3))
""",
    "learned states, expanded": """
class Net(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.h0 = nn.Parameter(torch.zeros(layers, 1, h))
        self.c0 = nn.Parameter(torch.zeros(layers, 1, h))
        self.rnn = nn.LSTM(d, h, layers, batch_first=True)

    def forward(self, x):
        n = x.shape[0]
        return self.rnn(x, (self.h0.expand(-1, n, -1).contiguous(), self.c0.repeat(1, n, 1)))[0]

Net(3, 4, 2)(torch.randn(5, 6, 3))
""",
    "a state from the first feature": """
class Captions(nn.Module):
    def __init__(self, features, h, vocab):
        super().__init__()
        self.start = nn.Linear(features, h)
        self.embedding = nn.Embedding(vocab, h)
        self.rnn = nn.LSTM(h, h, batch_first=True)

    def forward(self, image, words):
        h = self.start(image).unsqueeze(0)
        return self.rnn(self.embedding(words), (h, torch.zeros_like(h)))[0]

Captions(10, 4, 20)(torch.randn(3, 10), torch.randint(0, 20, (3, 5)))
""",
    "a fixed batch that every call brings": """
batch_size = 4

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 5, batch_first=True)

    def forward(self, x):
        return self.rnn(x.view(batch_size, -1, 3), torch.zeros(1, batch_size, 5))[0]

Net()(torch.randn(4, 6, 3))
""",
    "a loader that drops its last batch": """
from torch.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n
        self.rnn = nn.GRU(3, 5, batch_first=True)

    def forward(self, x):
        return self.rnn(x, torch.zeros(1, self.n, 5))[0]

net = Net(8)
for x, in DataLoader(TensorDataset(torch.randn(100, 6, 3)), batch_size=8, drop_last=True):
    net(x)
""",
    "the state carried from window to window": """
class LM(nn.Module):
    def __init__(self, vocab, d, layers):
        super().__init__()
        self.layers, self.d = layers, d
        self.embedding = nn.Embedding(vocab, d)
        self.rnn = nn.LSTM(d, d, layers)

    def forward(self, tokens, hidden):
        return self.rnn(self.embedding(tokens), hidden)

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return (weight.new_zeros(self.layers, bsz, self.d), weight.new_zeros(self.layers, bsz, self.d))

def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)

lm = LM(20, 6, 2)
hidden = lm.init_hidden(4)
data = torch.randint(0, 20, (30, 4))
for i in range(0, 28, 7):
    hidden = repackage_hidden(hidden)
    out, hidden = lm(data[i : i + 7], hidden)
""",
    "a state for each kind of layer": """
class Net(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        self.kind, self.h = kind, h
        if kind == "LSTM":
            self.rnn = nn.LSTM(d, h, batch_first=True)
        else:
            self.rnn = nn.GRU(d, h, batch_first=True)

    def init_hidden(self, n):
        if self.kind == "LSTM":
            return (torch.zeros(1, n, self.h), torch.zeros(1, n, self.h))
        return torch.zeros(1, n, self.h)

    def forward(self, x):
        return self.rnn(x, self.init_hidden(x.size(0)))[0]

Net("GRU", 3, 4)(torch.randn(2, 6, 3))
""",
    "a state for a kind that is chosen by name": """
class Net(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        self.h = h
        self.rnn = getattr(nn, kind.upper())(d, h, batch_first=True)

    def forward(self, x):
        return self.rnn(x, torch.zeros(1, x.size(0), self.h))[0]

Net("gru", 3, 4)(torch.randn(2, 6, 3))
""",
    "one step at a time": """
class Decoder(nn.Module):
    def __init__(self, vocab, h):
        super().__init__()
        self.embedding = nn.Embedding(vocab, h)
        self.gru = nn.GRU(h, h)
        self.out = nn.Linear(h, vocab)

    def forward(self, word, hidden):
        embedded = self.embedding(word).view(1, 1, -1)
        output, hidden = self.gru(F.relu(embedded), hidden)
        return self.out(output[0]), hidden

    def init_hidden(self):
        return torch.zeros(1, 1, self.gru.hidden_size)

decoder = Decoder(20, 4)
decoder(torch.tensor([[3]]), decoder.init_hidden())
""",
    "samples and steps as one batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        b, s, w, d = x.shape
        flat = x.reshape(b * s, w, d)
        h0 = torch.zeros(1, b * s, self.h)
        return self.rnn(flat, h0)[1].view(b, s, -1)

Net(3, 4)(torch.randn(2, 5, 6, 3))
""",
    "a single sequence": """
rnn = nn.LSTM(3, 4, 2)
x = torch.randn(9, 3)
out, state = rnn(x, (torch.zeros(2, 4), torch.zeros(2, 4)))
""",
    "a stack of states for the layers": """
class Net(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.layers = layers
        self.start = nn.Linear(7, h)
        self.rnn = nn.GRU(d, h, layers, batch_first=True)

    def forward(self, x, context):
        h0 = torch.stack([self.start(context) for _ in range(self.layers)])
        return self.rnn(x, h0)[0]

Net(3, 4, 2)(torch.randn(5, 6, 3), torch.randn(5, 7))
""",
}


def marked(program: str) -> list[tuple[int, str]]:
    """Rows and codes of the `# RSG501` comments."""
    return [
        (row, mark[1]) for row, line in enumerate(program.split("\n"), 1) if (mark := re.search(r"# (RSG\d{3})", line))
    ]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_states_are_found_where_they_are_made(name: str) -> None:
    assert said(WRONG[name], "RSG2", "RSG5") == marked(WRONG[name])


@pytest.mark.parametrize("name", RIGHT)
def test_states_that_fit_are_not_reported(name: str) -> None:
    assert said(RIGHT[name], "RSG101", "RSG103", "RSG2", "RSG3", "RSG4", "RSG5") == []
