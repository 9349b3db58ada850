"""Cells: wrong in other spellings than the pages have, and right though they look wrong."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

WRONG = {
    "a cell's result unpacked like a layer's": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.step = nn.LSTMCell(d, h)

    def forward(self, x):
        # x: (batch, time, features)
        h = c = x.new_zeros(x.size(0), self.h)
        for t in range(x.size(1)):
            out, (h, c) = self.step(x[:, t], (h, c))  # RSG802
        return out
""",
    "a loop over the batch by index": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.cell = nn.LSTMCell(d, h)

    def forward(self, x):
        batch_size, seq_len, d = x.shape
        h = c = None
        outs = []
        for i in range(x.size(0)):
            state = self.cell(x[i], None if h is None else (h, c))  # RSG801
            h, c = state
            outs.append(h)
        return torch.stack(outs)
""",
    "a loop over the batch with a state of it": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.cell = nn.GRUCell(d, h)

    def forward(self, x):
        '''
        Args:
            x: (batch, time, features)
        '''
        h = torch.zeros(x.size(0), self.h)
        for step in x:  # RSG801
            h = self.cell(step, h)
        return h
""",
    "the whole sequence": """
class Net(nn.Module):
    def __init__(self, vocab, d, h):
        super().__init__()
        self.embedding = nn.Embedding(vocab, d)
        self.cell = nn.GRUCell(d, h)

    def forward(self, tokens):
        batch, steps = tokens.shape
        return self.cell(self.embedding(tokens))  # RSG801
""",
    "one step that keeps its axis": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.cell = nn.RNNCell(d, h)

    def forward(self, x):
        b, t, _ = x.shape
        h = torch.zeros(b, self.h)
        for i in range(t):
            h = self.cell(x[:, i : i + 1], h)  # RSG801
        return h

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "a context that widens the step": """
class Decoder(nn.Module):
    def __init__(self, vocab, d, ctx, h):
        super().__init__()
        self.embedding = nn.Embedding(vocab, d)
        self.cell = nn.LSTMCell(d, h)  # RSG801
        self.h = h

    def forward(self, word, context, state):
        x = torch.cat([self.embedding(word), context], dim=1)
        return self.cell(x, state)

decoder = Decoder(20, 6, 4, 8)
decoder(torch.randint(0, 20, (3,)), torch.randn(3, 4), (torch.zeros(3, 8), torch.zeros(3, 8)))
""",
    "one state for a cell of two": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.LSTMCell(d, h)

    def forward(self, x):
        # x: (time, batch, features)
        hx = x.new_zeros(x.size(1), self.h)
        for t in range(x.size(0)):
            hx, cx = self.rnn(x[t], hx)  # RSG802
        return hx
""",
    "an encoder's state with its layers": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.enc = nn.LSTM(d, h, batch_first=True)
        self.dec = nn.LSTMCell(d, h)

    def forward(self, x):
        _, (h, c) = self.enc(x)
        outs = []
        for t in range(5):
            h, c = self.dec(x[:, t], (h, c))  # RSG802
            outs.append(h)
        return outs

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "a state of another width": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.d, self.h = d, h
        self.cell = nn.LSTMCell(d, h)

    def forward(self, x):
        b, t, _ = x.shape
        h, c = torch.zeros(b, self.d), torch.zeros(b, self.d)  # RSG802
        for i in range(t):
            h, c = self.cell(x[:, i], (h, c))
        return h

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "the number of steps for the batch": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.cell = nn.GRUCell(d, h)

    def forward(self, x):
        seq_len, batch_size, _ = x.shape
        h = torch.zeros(seq_len, self.h)  # RSG802
        for i in range(seq_len):
            h = self.cell(x[i], h)
        return h
""",
    "a GRU cell's result as a pair": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = nn.GRUCell(d, h)

    def forward(self, x, h):
        # x: (batch, features)
        h, c = self.cell(x, h)  # RSG802
        return h
""",
    "an LSTM cell's pair as the output of a step": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.cell = nn.LSTMCell(d, h)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        hx, cx = torch.zeros(x.size(0), self.h), torch.zeros(x.size(0), self.h)
        for i in range(x.size(1)):
            hx = self.cell(x[:, i], (hx, cx))  # RSG802
        return self.fc(hx)
""",
}

WRONG["a batch of a loader, of which nothing says which axis is the time"] = """
class Poses(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.enc = nn.Linear(d, h)
        self.cell = nn.GRUCell(h, h)

    def forward(self, poses):
        state = poses.new_zeros(poses.size(1), self.h)
        states = []
        for frame in poses:  # RSG801
            state = self.cell(torch.relu(self.enc(frame)), state)
            states.append(state)
        return torch.stack(states)

net = Poses(5, 6)
for (x,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(40, 9, 5)), batch_size=8):
    net(x)
"""

RIGHT = {
    "a cell's state that is not carried from sample to sample": """
class Each(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.cell = nn.GRUCell(d, h)

    def forward(self, x):
        start = x.new_zeros(x.size(1), self.h)
        return torch.stack([self.cell(points, start) for points in x])

for (x,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(40, 9, 5)), batch_size=8):
    Each(5, 6)(x)
""",
    "the state kept as the pair it is": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = nn.LSTMCell(d, h)
        self.fc = nn.Linear(h, 2)

    def forward(self, x):
        state = None
        for i in range(x.size(1)):
            state = self.cell(x[:, i], state)
        return self.fc(state[0])

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "steps by index": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.cell = nn.LSTMCell(d, h)
        self.fc = nn.Linear(h, 1)

    def forward(self, x, future=0):
        # x: (batch, time, features)
        h = torch.zeros(x.size(0), self.h)
        c = torch.zeros(x.size(0), self.h)
        outs = []
        for i in range(x.size(1)):
            h, c = self.cell(x[:, i, :], (h, c))
            outs.append(self.fc(h))
        return torch.stack(outs, dim=1)

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "the sine waves of the examples": """
class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(1, 51)
        self.lstm2 = nn.LSTMCell(51, 51)
        self.linear = nn.Linear(51, 1)

    def forward(self, input, future=0):
        outputs = []
        h_t = torch.zeros(input.size(0), 51, dtype=torch.double)
        c_t = torch.zeros(input.size(0), 51, dtype=torch.double)
        h_t2 = torch.zeros(input.size(0), 51, dtype=torch.double)
        c_t2 = torch.zeros(input.size(0), 51, dtype=torch.double)
        for input_t in input.split(1, dim=1):
            h_t, c_t = self.lstm1(input_t, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        for i in range(future):
            h_t, c_t = self.lstm1(output, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        return torch.cat(outputs, dim=1)

Sequence().double()(torch.randn(3, 20).double(), 5)
""",
    "a stack of cells": """
class Stacked(nn.Module):
    def __init__(self, d, h, layers):
        super().__init__()
        self.cells = nn.ModuleList([nn.GRUCell(d if i == 0 else h, h) for i in range(layers)])
        self.h = h

    def forward(self, x, states=None):
        # x: (time, batch, features)
        states = states or [x.new_zeros(x.size(1), self.h) for _ in self.cells]
        outs = []
        for x_t in x:
            new = []
            for cell, state in zip(self.cells, states):
                x_t = cell(x_t, state)
                new.append(x_t)
            states = new
            outs.append(x_t)
        return torch.stack(outs)

Stacked(3, 4, 2)(torch.randn(5, 2, 3))
""",
    "a time-major loop": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = nn.GRUCell(d, h)

    def forward(self, x):
        # x: (batch, time, features)
        h = None
        for step in x.transpose(0, 1):
            h = self.cell(step, h)
        return h

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "the agents of one state": """
class Agent(nn.Module):
    def __init__(self, obs, h, actions):
        super().__init__()
        self.h = h
        self.fc = nn.Linear(obs, h)
        self.rnn = nn.GRUCell(h, h)
        self.q = nn.Linear(h, actions)

    def init_hidden(self):
        return self.fc.weight.new(1, self.h).zero_()

    def forward(self, inputs, hidden_state):
        x = F.relu(self.fc(inputs))
        h_in = hidden_state.reshape(-1, self.h)
        h = self.rnn(x, h_in)
        return self.q(h), h

agent = Agent(5, 4, 3)
agent(torch.randn(6, 5), agent.init_hidden().unsqueeze(0).expand(2, 3, -1))
""",
    "a graph's nodes as the batch": """
class Message(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.cell = nn.GRUCell(h, h)

    def forward(self, nodes, adjacency):
        # nodes: (batch, nodes, h)
        b, n, h = nodes.shape
        messages = torch.bmm(adjacency, nodes)
        return self.cell(messages.view(b * n, h), nodes.view(b * n, h)).view(b, n, h)

Message(4)(torch.randn(2, 3, 4), torch.randn(2, 3, 3))
""",
    "a single step without a batch": """
cell = nn.LSTMCell(3, 4)
h, c = cell(torch.randn(3))
h, c = cell(torch.randn(3), (h, c))
""",
    "an encoder's last layer": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.enc = nn.LSTM(d, h, 2, batch_first=True)
        self.dec = nn.LSTMCell(d, h)

    def forward(self, x):
        _, (h, c) = self.enc(x)
        h, c = h[-1], c[-1]
        for t in range(5):
            h, c = self.dec(x[:, t], (h, c))
        return h

Net(3, 4)(torch.randn(2, 5, 3))
""",
    "an image's rows one sample at a time": """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = nn.GRUCell(d, h)

    def forward(self, samples):
        outs = []
        for sample in samples:
            h = torch.zeros(sample.size(0), 4)
            outs.append(self.cell(sample, h))
        return torch.stack(outs)

Net(3, 4)(torch.randn(2, 5, 3))
""",
}


def marked(program: str) -> list[tuple[int, str]]:
    """Rows and codes of the `# RSG801` comments."""
    return [
        (row, mark[1]) for row, line in enumerate(program.split("\n"), 1) if (mark := re.search(r"# (RSG\d{3})", line))
    ]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_steps_and_states_of_cells_are_found(name: str) -> None:
    assert said(WRONG[name], "RSG2", "RSG5", "RSG8") == marked(WRONG[name])


@pytest.mark.parametrize("name", RIGHT)
def test_cells_used_as_they_are_meant_are_not_reported(name: str) -> None:
    assert said(RIGHT[name], "RSG2", "RSG3", "RSG4", "RSG5", "RSG8") == []
