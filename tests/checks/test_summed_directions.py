"""The two directions of an output added up, or taken apart, and one step read of them (RSG402, RSG408)."""

from __future__ import annotations

import re

import pytest

from tests.checks.programs import said

_NET = """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, bidirectional=True, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(h, 4)

    def forward(self, x):
        out, h_n = self.rnn(x)
"""

WRONG = {
    "two slices": """
        out = out[:, :, :self.h] + out[:, :, self.h:]
        return self.fc(out[:, -1])  # RSG402
""",
    "the mean of two chunks, the first step": """
        ahead, back = out.chunk(2, dim=-1)
        both = (ahead + back) / 2
        return self.fc(self.drop(both)[:, 0])  # RSG402
""",
    "an axis of their own, summed": """
        out = out.view(x.size(0), x.size(1), 2, self.h).sum(dim=2)
        return self.fc(out[:, -1, :])  # RSG402
""",
    "an axis of their own, picked from": """
        out = out.view(x.size(0), x.size(1), 2, self.h)
        out = torch.add(out[:, :, 0], out[:, :, 1])
        return self.fc(out)[:, -1]  # RSG402
""",
    "the greater of the two": """
        ahead, back = out.chunk(2, dim=-1)
        return self.fc(torch.maximum(ahead, back)[:, -1])  # RSG402
""",
    "the last step first, then its halves": """
        ahead, back = out[:, -1].chunk(2, dim=-1)  # RSG402
        return self.fc(ahead + back)
""",
    "two slices of the last step": """
        return self.fc(out[:, -1, :self.h]
            + out[:, -1, self.h:])  # RSG402
""",
    "each half at the end that it begins at": """
        return torch.cat((
            out[:, 0, :self.h],  # RSG402
            out[:, -1, self.h:],
        ), dim=-1)
""",
}

RIGHT = {
    "each half at the end that it has read all from": """
        return torch.cat((out[:, -1, :self.h], out[:, 0, self.h:]), dim=-1)
""",
    "the half of the last step that has read all": """
        ahead, _ = out[:, -1].chunk(2, dim=-1)
        return self.fc(ahead)
""",
    "each half of two steps, cut out behind them": """
        ahead, _ = out[:, -1].chunk(2, dim=-1)
        _, back = out[:, 0].chunk(2, dim=-1)
        return self.fc(ahead + back)
""",
    "the reverse half turned round, then its last step": """
        return self.fc(out.flip(1)[:, -1, self.h:])
""",
    "the reverse half of the last step beside all others": """
        return self.fc(out[:, -1, self.h:] + out.mean(dim=1)[:, self.h:])
""",
    "every step": """
        out = out[:, :, :self.h] + out[:, :, self.h:]
        return self.fc(out)
""",
    "one direction at the end that it has read": """
        ahead, back = out.chunk(2, dim=-1)
        return self.fc(ahead[:, -1] + back[:, 0])
""",
    "the last step beside all of them": """
        out = out[:, :, :self.h] + out[:, :, self.h:]
        weights = torch.softmax(out @ out[:, -1].unsqueeze(2), dim=1)
        return self.fc((weights * out).sum(dim=1))
""",
    "the sum beside a half that is read at its own end": """
        ahead, back = out.chunk(2, dim=-1)
        out = ahead + back
        return self.fc(out[:, -1] + back[:, 0])
""",
    "one half with itself": """
        ahead = out[:, :, :self.h] + out[:, :, :self.h]
        return self.fc(ahead[:, -1])
""",
    "the states beside it": """
        out = out.view(x.size(0), x.size(1), 2, self.h).mean(dim=2)
        return self.fc(out[:, -1] + h_n.sum(0))
""",
    "the mean of all steps": """
        out = self.drop(out[:, :, :self.h] + out[:, :, self.h:])
        return self.fc(out[:, -1] + out.mean(dim=1))
""",
    "the reverse half turned round": """
        ahead, back = out.chunk(2, dim=-1)
        return self.fc((ahead + back.flip(1))[:, -1])
""",
}


def _rows(program: str) -> list[tuple[int, str]]:
    lines = enumerate(program.splitlines(), 1)
    return [(row, found[1]) for row, line in lines if (found := re.search(r"# (RSG\d+)", line))]


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_wrong(body: str) -> None:
    program = _NET + body.removeprefix("\n")
    assert said(program, "RSG4") == _rows(program)


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT)
def test_right(body: str) -> None:
    assert said(_NET + body.removeprefix("\n"), "RSG4") == []


def test_the_last_step_of_a_padded_sum() -> None:
    program = """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, bidirectional=True, batch_first=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        out = out[:, :, :self.h] + out[:, :, self.h:]
        return out[:, -1]  # RSG408
"""
    assert said(program, "RSG4") == _rows(program)
