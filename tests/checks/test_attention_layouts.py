"""Attention beside a recurrent layer (RSG103): which of the two reads the batch where it is not."""

from __future__ import annotations

import pytest

from tests.checks.programs import said
from tests.checks.test_readings import expected

WRONG = {
    "attention in its default layout over a batch-first output": """
class Weather(nn.Module):
    def __init__(self, stations, width):
        super().__init__()
        self.rnn = nn.GRU(stations, width, batch_first=True)
        self.attend = nn.MultiheadAttention(width, 4, dropout=0.1)  # RSG103
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        out, _ = self.rnn(x)
        mixed, _ = self.attend(out, out, out)
        return self.out(mixed.mean(dim=1))
""",
    "the comment knows the batch": """
class Weather(nn.Module):
    def __init__(self, stations, width):
        super().__init__()
        self.rnn = nn.LSTM(stations, width)
        self.attend = nn.MultiheadAttention(width, 4, batch_first=True)  # RSG103

    def forward(self, x):
        # x: (time, batch, stations)
        out, _ = self.rnn(x)
        return self.attend(out, out, out, need_weights=False)[0]
""",
    "a transformer behind a recurrent layer": """
class Speech(nn.Module):
    def __init__(self, bands, d):
        super().__init__()
        self.rnn = nn.LSTM(bands, d, batch_first=True)
        layer = nn.TransformerEncoderLayer(d, 4)  # RSG103
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.encoder(out)
""",
    "a permute that the attention did not need": """
class Reader(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.rnn = nn.LSTM(d, d, batch_first=True)
        self.attend = nn.MultiheadAttention(d, 2, batch_first=True)

    def forward(self, x):
        out, _ = self.rnn(x)
        out = out.permute(1, 0, 2)  # RSG103
        return self.attend(out, out, out)[0]
""",
}

RIGHT = {
    "both batch first": """
class Weather(nn.Module):
    def __init__(self, stations, width):
        super().__init__()
        self.rnn = nn.GRU(stations, width, batch_first=True)
        self.attend = nn.MultiheadAttention(width, 4, batch_first=True)

    def forward(self, x):
        # x: (batch, time, stations)
        out, h = self.rnn(x)
        return self.attend(h[-1].unsqueeze(1), out, out)[0]
""",
    "turned for the attention, and back": """
class Weather(nn.Module):
    def __init__(self, stations, width):
        super().__init__()
        self.rnn = nn.GRU(stations, width, batch_first=True)
        self.attend = nn.MultiheadAttention(width, 4)

    def forward(self, x):
        out, _ = self.rnn(x)
        steps = out.transpose(0, 1)
        return self.attend(steps, steps, steps)[0].transpose(0, 1)
""",
    "both with time first": """
class Weather(nn.Module):
    def __init__(self, stations, width):
        super().__init__()
        self.rnn = nn.GRU(stations, width)
        self.attend = nn.MultiheadAttention(width, 4)

    def forward(self, x):
        out, h = self.rnn(x)
        return self.attend(h, out, out)[0] + self.attend(out, h, h)[0]
""",
    "an attention that no recurrent layer comes near": """
class Sets(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.attend = nn.MultiheadAttention(d, 4)
        self.rnn = nn.GRU(d, d, batch_first=True)

    def forward(self, sets, x):
        # sets: (batch, time, d)
        return self.attend(sets, sets, sets)[0], self.rnn(x)[0]
""",
    "the layout is one for both": """
class Weather(nn.Module):
    def __init__(self, stations, width, batch_first=False):
        super().__init__()
        self.rnn = nn.GRU(stations, width, batch_first=batch_first)
        self.attend = nn.MultiheadAttention(width, 4, batch_first=batch_first)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.attend(out, out, out)[0]
""",
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_wrong(program: str) -> None:
    assert said(program, "RSG101", "RSG103", "RSG2", "RSG3") == expected(program)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right(program: str) -> None:
    assert [code for _, code in said(program, "RSG1", "RSG2", "RSG3") if code != "RSG102"] == []
