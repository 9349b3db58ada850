"""The ends of an output: the first step of one direction, the reverse half behind padding, answers cut one step short."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

FIRST = """
class Net(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.{kind}(d, h, batch_first=True)
        self.fc = nn.Linear(h, 3)

    def forward(self, x{state}):
        out, last = self.rnn(x{given})
        return {result}
"""


def net(result: str, kind: str = "LSTM", state: str = "", given: str = "") -> str:
    return FIRST.format(result=result, kind=kind, state=state, given=given)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_first_step_alone_has_seen_one_step(kind: str) -> None:
    assert said(net("self.fc(out[:, 0])", kind), "RSG4") == [(10, "RSG402")]


@pytest.mark.parametrize(
    "program",
    [
        net("self.fc(out[:, -1])"),
        net("self.fc(out[:, 0] + out[:, -1])"),
        net("self.fc(out[:, 0])", state=", state", given=", state"),
        net("self.fc(out[:, 0]), last"),
        net("self.fc(out[:, 0])") + "\nNet(4, 5)(torch.randn(6, 1, 4))\n",
    ],
)
def test_a_first_step_that_is_not_all(program: str) -> None:
    assert said(program, "RSG402") == []


BOTH_ENDS = """
class Beats(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.rnn = nn.GRU(d, h, batch_first=True, bidirectional=True)

    def forward(self, x, lengths):
        # x: (batch, time, d)
        out, _ = self.rnn(x)
        rows = torch.arange(x.size(0))
        return torch.cat([{forward}, {reverse}], dim=1)
"""


def test_a_reverse_half_that_starts_in_the_padding() -> None:
    forward, reverse = "out[rows, lengths - 1, :self.h]", "out[:, 0, self.h:]"
    assert said(BOTH_ENDS.format(forward=forward, reverse=reverse), "RSG4") == [(10, "RSG408")]
    packed = BOTH_ENDS.format(forward=forward, reverse=reverse).replace(
        "out, _ = self.rnn(x)",
        "out, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(nn.utils.rnn.pack_padded_sequence("
        "x, lengths, batch_first=True, enforce_sorted=False))[0], batch_first=True)",
    )
    assert said(packed, "RSG408") == []


ANSWERS = """
class Melody(nn.Module):
    def __init__(self, notes, h):
        super().__init__()
        self.embed = nn.Embedding(notes, h)
        self.rnn = nn.LSTM(h, h, batch_first=True, bidirectional={both})
        self.out = nn.Linear({width}, notes)

    def forward(self, x):
        return self.out(self.rnn(self.embed(x))[0])

model, notes = Melody(36, 8), torch.randint(0, 36, (3, 10))
answers, targets = model(notes){answers}, notes{targets}
loss = F.cross_entropy(answers.reshape(-1, 36), targets.reshape(-1))
"""


def test_answers_that_are_cut_instead_of_the_input() -> None:
    shifted = {"answers": "[:, :-1]", "targets": "[:, 1:]"}
    assert said(ANSWERS.format(both=True, width="2 * h", **shifted), "RSG4") == [(6, "RSG411")]
    assert said(ANSWERS.format(both=False, width="h", **shifted), "RSG4") == []
    assert said(ANSWERS.format(both=True, width="2 * h", answers="[:, :-1]", targets="[:, :-1]"), "RSG4") == []


IMAGES = """
class Player(nn.Module):
    def __init__(self, actions):
        super().__init__()
        self.conv = nn.Conv2d(4, 12, 5, stride=2)
        self.rnn = nn.LSTM(12, 20{first})
        self.fc = nn.Linear(20, actions)

    def forward(self, x):
        h = self.conv(x).flatten(2).permute({order})
        out, _ = self.rnn(h)
        return self.fc(out[{last}])
"""


def test_places_of_an_image_are_no_batch() -> None:
    assert said(IMAGES.format(first="", order="0, 2, 1", last=":, -1"), "RSG101") == [(6, "RSG101")]
    assert said(IMAGES.format(first=", batch_first=True", order="0, 2, 1", last=":, -1"), "RSG101") == []
    assert said(IMAGES.format(first="", order="2, 0, 1", last="-1"), "RSG101") == []
