"""What Python decides before any tensor flows: which case of a match runs, which functions are called, what a loop hands on."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

WRONG = {
    "a case of a match takes one layer's state for another's": """
class Reader(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        self.kind = kind
        match kind:
            case "gru" | "gru2":
                self.rnn = nn.GRU(d, h, batch_first=True)
            case "lstm":
                self.rnn = nn.LSTM(d, h, batch_first=True)

    def forward(self, x):
        match self.kind:
            case "lstm" | "gru2":
                _, (h, c) = self.rnn(x)  # RSG405
            case _:
                _, h = self.rnn(x)
        return h[-1]

Reader("gru2", 3, 4)(torch.randn(2, 5, 3))
""",
    "a kind that is chosen by name, and settled where the model is made": """
class Reader(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        self.h = h
        if kind in ("LSTM", "GRU"):
            self.rnn = getattr(nn, kind)(d, h, batch_first=True)
        else:
            self.rnn = nn.RNN(d, h, nonlinearity=kind, batch_first=True)

    def forward(self, x, h0):
        return self.rnn(x, h0)[0]  # RSG504

def evaluate(x):
    model = Reader("LSTM", 3, 4)
    return model(x, x.new_zeros(1, x.size(0), 4))
""",
    "a function inside a function that nobody calls in sight": """
class Reader(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, num_layers=2, batch_first=True, bidirectional=True)

    def forward(self, x, state):
        return self.rnn(x, state)[0].mean(dim=1)

def make_step(d, h):
    model = Reader(d, h)

    def step(x):
        state = torch.zeros(2, x.size(0), h)  # RSG501
        return model(x, state)

    return step
""",
}

RIGHT = {
    "each case for its own layer": """
class Reader(nn.Module):
    def __init__(self, kind, d, h):
        super().__init__()
        self.kind = kind
        match kind:
            case "lstm":
                self.rnn = nn.LSTM(d, h, batch_first=True)
            case "gru":
                self.rnn = nn.GRU(d, h, batch_first=True)
            case other:
                raise ValueError(other)

    def forward(self, x):
        match self.kind:
            case "lstm":
                _, (h, c) = self.rnn(x)
            case _:
                _, h = self.rnn(x)
        return h[-1]

Reader("lstm", 3, 4)(torch.randn(2, 5, 3))
Reader("gru", 3, 4)(torch.randn(2, 5, 3))
""",
    "a case with a guard may be passed over": """
class Reader(nn.Module):
    def __init__(self, d, h, kind, bi):
        super().__init__()
        match kind:
            case "wide" if bi:
                self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=True)
                self.out = nn.Linear(2 * h, 3)
            case _:
                self.rnn = nn.GRU(d, h, batch_first=True)
                self.out = nn.Linear(h, 3)

    def forward(self, x):
        return self.out(self.rnn(x)[0])

Reader(3, 4, "wide", False)(torch.randn(2, 5, 3))
""",
    "parts of one unknown thing, by their places": """
class Fused(nn.Module):
    def __init__(self, widths, h):
        super().__init__()
        self.parts = nn.ModuleDict({name: nn.GRU(width, h, batch_first=True) for name, width in widths.items()})

    def forward(self, inputs):
        return torch.cat([part(inputs[name])[1][-1] for name, part in self.parts.items()], dim=1)

model = Fused({"eye": 5, "ear": 7}, 6)

def run(batch):
    return model(dict(zip(("eye", "ear"), batch)))
""",
}


def marked(program: str) -> list[tuple[int, str]]:
    """The rows with a code behind them."""
    lines = enumerate(program.split("\n"), start=1)
    return [(row, code) for row, line in lines for code in re.findall(r"# (RSG\d+)", line)]


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_wrong(program: str) -> None:
    assert said(program, "RSG2", "RSG4", "RSG5") == marked(program)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert said(program, "RSG2", "RSG4", "RSG5") == []
