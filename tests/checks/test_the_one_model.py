"""A function that takes a model, and is called nowhere in sight, is read with the one model that its file has."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

FILE = """
class Encoder(nn.Module):
    def __init__(self, notes, h):
        super().__init__()
        self.embed = nn.Embedding(notes, h)
        self.rnn = nn.LSTM(h, h, batch_first=True, bidirectional=True)

    def forward(self, x):
        return self.rnn(self.embed(x))[0]

class Melody(nn.Module):
    def __init__(self, notes=36, h=8):
        super().__init__()
        self.encoder, self.out = Encoder(notes, h), nn.Linear(2 * h, notes)

    def forward(self, x):
        return self.out(self.encoder(x))
{more}
def loss({parameter}, notes):
    answers = {parameter}(notes[:, :-1])
    return F.cross_entropy(answers.flatten(0, 1), notes[:, 1:].flatten())
"""

OTHER = """
class Other(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.GRU(h, h, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0]
"""


@pytest.mark.parametrize("parameter", ["model", "net", "melody"])
def test_it_is_read_with_the_one_model(parameter: str) -> None:
    assert said(FILE.format(more="", parameter=parameter), "RSG4") == [(6, "RSG411")]


def test_one_of_several_may_be_any() -> None:
    assert said(FILE.format(more=OTHER, parameter="model"), "RSG4") == []


def test_what_is_called_otherwise_may_be_anything() -> None:
    assert said(FILE.format(more="", parameter="scorer"), "RSG4") == []


def test_options_that_every_construction_decides_otherwise_say_nothing() -> None:
    program = """
class Net(nn.Module):
    def __init__(self, words, h, both=False):
        super().__init__()
        self.embed = nn.Embedding(words, h)
        self.rnn = nn.LSTM(h, h, batch_first=True, bidirectional=both)
        self.out = nn.Linear(h + both * h, words)

    def forward(self, x):
        return self.out(self.rnn(self.embed(x))[0])

def loss(model, x):
    return F.cross_entropy(model(x[:, :-1]).flatten(0, 1), x[:, 1:].flatten())
"""
    assert said(program, "RSG4") == [(6, "RSG411")]
    assert said(program + "\nnet = Net(20, 8)\n", "RSG4") == []
