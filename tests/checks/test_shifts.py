"""Two slices one step apart: the time lies along them, and a layer that reads both ways has read the answer."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

NET = """
class Net(nn.Module):
    def __init__(self, vocabulary, d, h, both=True):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional={both})
        self.head = nn.Linear({width}, vocabulary)

    def forward(self, x):
        out, _ = self.rnn(self.embed(x))
        return self.head(out)

net = Net(20, 8, 12)
{data}
loss = F.cross_entropy(net(x).flatten(0, 1), y.flatten())
"""

SHIFTED = "text = torch.randint(0, 20, (6, 9)); x, y = text[:, :-1], text[:, 1:]"
WINDOWS = (
    "text = torch.randint(0, 20, (900,)); starts = range(len(text) - 9); "
    "x = torch.stack([text[i:i + 8] for i in starts]); y = torch.stack([text[i + 1:i + 9] for i in starts])"
)
TAGS = "text = torch.randint(0, 20, (6, 9)); x, y = text[:, :-1], torch.randint(0, 20, (6, 8))"
BACK = "text = torch.randint(0, 20, (6, 9)); x, y = text[:, :-1], text[:, :-1]"


def program(data: str, both: str = "True", width: str = "2 * h") -> str:
    return NET.format(data=data, both=both, width=width)


def test_a_layer_that_reads_both_ways_has_read_the_next_step() -> None:
    assert said(program(SHIFTED), "RSG4") == [(6, "RSG411")]
    assert said(program(SHIFTED, "both", "h + both * h"), "RSG4") == [(6, "RSG411")]


@pytest.mark.parametrize("data", [TAGS, BACK])
def test_other_targets(data: str) -> None:
    assert said(program(data), "RSG4") == []


def test_one_direction() -> None:
    assert said(program(SHIFTED, "False", "h"), "RSG4") == []


MAJOR = """
data = torch.rand(12, 30, 3)
rnn, head = nn.LSTM(3, 8{flag}), nn.Linear(8, 3)
inputs, targets = data[{before}], data[{after}]
out, _ = rnn(inputs)
loss = F.mse_loss(head(out), targets)
"""


def test_what_is_shifted_lies_along_the_time() -> None:
    wrong = MAJOR.format(flag="", before=":, :-1", after=":, 1:")
    assert said(wrong, "RSG101") == [(3, "RSG101")]
    assert said(MAJOR.format(flag="", before=":-1", after="1:"), "RSG101") == []
    assert said(MAJOR.format(flag=", batch_first=True", before=":, :-1", after=":, 1:"), "RSG101") == []
    assert said(MAJOR.format(flag=", batch_first=True", before=":-1", after="1:"), "RSG101") == [(3, "RSG101")]


def test_slices_that_are_not_one_step_apart_say_nothing() -> None:
    assert said(MAJOR.format(flag="", before=":, :-2", after=":, 1:"), "RSG101") == []
    assert said(MAJOR.format(flag="", before=":, :-1", after="1:"), "RSG101") == []


CELLS = """
class Waves(nn.Module):
    def __init__(self, h=9):
        super().__init__()
        self.h = h
        self.cell, self.head = nn.LSTMCell(1, h), nn.Linear(h, 1)

    def forward(self, x):
        state = torch.zeros(x.size({rows}), self.h), torch.zeros(x.size({rows}), self.h)
        outputs = []
        for step in x{turn}:
            state = self.cell(step, state)
            outputs.append(self.head(state[0]))
        return torch.stack(outputs, {rows})

data = torch.sin(torch.rand(8, 16, 1))
F.mse_loss(Waves()(data[:, :-1]), data[:, 1:])
"""


def test_a_cell_that_walks_along_the_samples() -> None:
    assert said(CELLS.format(rows=1, turn=""), "RSG801") == [(11, "RSG801")]
    assert said(CELLS.format(rows=0, turn=".unbind(1)"), "RSG801") == []
