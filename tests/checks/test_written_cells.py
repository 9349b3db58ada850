"""Recurrent cells that are written out by hand: gates cut along the wrong axis, and right cells of all kinds."""

from __future__ import annotations

import pytest

from tests.checks.programs import said
from tests.checks.test_readings import expected

WRONG = {
    "the four gates of an LSTM cut from the batch": """
class OwnLSTM(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gates = nn.Linear(d + h, 4 * h)

    def forward(self, x, state):
        h, c = state
        i, f, o, g = self.gates(torch.cat([x, h], dim=1)).chunk(4)
        c = torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f) * c  # RSG707
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, c

class Tagger(nn.Module):
    def __init__(self, d, h, tags):
        super().__init__()
        self.h = h
        self.lstm = OwnLSTM(d, h)
        self.out = nn.Linear(h, tags)

    def forward(self, x):
        # x: (batch, time, features)
        h = c = x.new_zeros(x.size(0), self.h)
        steps = []
        for t in range(x.size(1)):
            h, c = self.lstm(x[:, t], (h, c))
            steps.append(self.out(h))
        return torch.stack(steps, dim=1)
""",
    "a candidate of twice the width": """
class MinimalGRU(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gate = nn.Linear(d, h)
        self.candidate = nn.Linear(d, 2 * h)

    def forward(self, x):
        # x: (batch, features)
        z = torch.sigmoid(self.gate(x))
        n = torch.tanh(self.candidate(x))
        return z * n  # RSG707

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = MinimalGRU(d, h)

    def forward(self, x):
        return self.cell(x[:, 0])
""",
}

RIGHT = {
    "the gates of an LSTM along the features": """
class OwnLSTM(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gates = nn.Linear(d + h, 4 * h)

    def forward(self, x, state):
        h, c = state
        i, f, o, g = self.gates(torch.cat([x, h], dim=1)).chunk(4, dim=1)
        c = torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f) * c
        return torch.sigmoid(o) * torch.tanh(c), c

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = OwnLSTM(d, h)

    def forward(self, x, h, c):
        return self.cell(x, (h, c))
""",
    "gates stacked on an axis of their own": """
class OwnLSTM(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.gates = nn.Linear(d + h, 4 * h)

    def forward(self, x, h, c):
        gates = self.gates(torch.cat([x, h], dim=1)).view(-1, 4, self.h).transpose(0, 1)
        i, f, o, g = gates.chunk(4)
        c = torch.sigmoid(i[0]) * torch.tanh(g[0]) + torch.sigmoid(f[0]) * c
        return torch.sigmoid(o[0]) * torch.tanh(c), c

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = OwnLSTM(d, h)

    def forward(self, x, h, c):
        return self.cell(x, h, c)
""",
    "one gate for all units": """
class LSTMish(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.gate = nn.Linear(d, 1)
        self.candidate = nn.Linear(d, h)
        self.out = nn.Linear(h, 3)

    def forward(self, x):
        return self.out(torch.sigmoid(self.gate(x)) * torch.tanh(self.candidate(x)))

class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.cell = LSTMish(d, h)

    def forward(self, x, h, c):
        return self.cell(x)
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_wrong(program: str) -> None:
    assert said(program, "RSG1", "RSG2", "RSG7", "RSG8") == expected(program)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert said(program, "RSG1", "RSG2", "RSG3", "RSG7", "RSG8") == []
