"""Tensors computed with each other that share an axis which does not stand at the same place in both."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

NET = """
class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.{kind}(d, h, batch_first={first})
        self.query, self.memory = nn.Linear(h, h), nn.Linear(h, h)

    def forward(self, x):
        out, h_n = self.rnn(x)
        return torch.tanh(self.query({state}) + self.memory(out))
"""


@pytest.mark.parametrize(("kind", "state"), [("GRU", "h_n"), ("LSTM", "h_n[0]"), ("GRU", "h_n[0]")])
def test_samples_meet_steps(kind: str, state: str) -> None:
    assert said(NET.format(kind=kind, first=True, state=state), "RSG7") == [(10, "RSG707")]


@pytest.mark.parametrize(
    ("first", "state"),
    [(False, "h_n"), (False, "h_n[0]"), (True, "h_n.transpose(0, 1)"), (True, "h_n[0].unsqueeze(1)")],
)
def test_they_stand_at_the_same_place(first: bool, state: str) -> None:
    assert said(NET.format(kind="GRU", first=first, state=state), "RSG7") == []


def test_a_type_has_no_axes() -> None:
    program = """
rnn = nn.GRU(4, 5, batch_first=True)
x = torch.randn(6, 7, 4)
batch_size, steps, _ = x.shape
state = torch.zeros(batch_size, 5).type_as(rnn(x)[0])
"""
    assert said(program, "RSG7") == []


def test_scores_of_all_pairs_of_tags() -> None:
    program = """
class Tagger(nn.Module):
    def __init__(self, d, h, n_tags):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, n_tags)
        self.transitions = nn.Parameter(torch.randn(n_tags, n_tags))

    def forward(self, x):
        scores = self.fc(self.rnn(x)[0])
        alpha = scores[:, 0]
        for t in range(1, scores.size(1)):
            alpha = torch.logsumexp(alpha.unsqueeze(2) + self.transitions, dim=1) + scores[:, t]
        return alpha

Tagger(4, 5, 6)(torch.randn(2, 7, 4))
"""
    assert said(program, "RSG7") == []


def test_a_table_of_all_pairs() -> None:
    program = """
rnn = nn.GRU(4, 5, batch_first=True)
out, h_n = rnn(torch.randn(6, 7, 4))
code = h_n[-1]
distances = (code.unsqueeze(0) - code.unsqueeze(1)).abs().sum(-1)
steps = (out.unsqueeze(1) - out.unsqueeze(2)).abs().sum(-1)
"""
    assert said(program, "RSG7") == []


PAIR = """
class Net(nn.Module):
    def __init__(self, d, h, layers=2):
        super().__init__()
        self.h, self.layers = h, layers
        self.rnn = nn.LSTM(d, h, layers, batch_first=True)

    def start(self, n):
        return torch.zeros(self.layers, n, self.h), torch.zeros(self.layers, n, self.h)

    def forward(self, x):
        state = self.start(x.size(0))
        return self.rnn(x, {state})
"""


def test_a_pair_of_initial_states_is_no_tensor() -> None:
    assert said(PAIR.format(state="state.to(x.device)"), "RSG4") == [(13, "RSG405")]
    assert said(PAIR.format(state="tuple(one.to(x.device) for one in state)"), "RSG4") == []
    assert said(PAIR.format(state="state.to(x.device) if torch.is_tensor(state) else state"), "RSG4") == []


GLOBAL = """
class Net(nn.Module):
    def __init__(self, d, h, first):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=first)
        self.fc = nn.Linear(h, 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])

{built}

def judge(batch_size, seq_len):
    return judging(making(torch.rand(batch_size, seq_len, 1)))
"""


@pytest.mark.parametrize(
    "built",
    [
        "making, judging = Net(1, 4, True), Net(1, 4, False)",
        "if __name__ == '__main__':\n    making = Net(1, 4, True)\n    judging = Net(1, 4, False)",
        "with torch.no_grad():\n    making, judging = Net(1, 4, True), Net(1, 4, False)",
    ],
)
def test_functions_that_use_models_of_the_file(built: str) -> None:
    assert "RSG101" in [code for _, code in said(GLOBAL.format(built=built), "RSG101")]


def test_a_softmax_of_what_einsum_makes() -> None:
    program = """
class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)
        self.softmax = nn.Softmax(dim={dim})

    def forward(self, x):
        batch_size, steps, _ = x.shape
        out, h_n = self.rnn(x)
        weights = self.softmax(torch.einsum("bh,bth->bt", h_n[-1], out))
        return torch.einsum("bt,bth->bh", weights, out)
"""
    assert said(program.format(dim=0), "RSG7") == [(11, "RSG702")]
    assert said(program.format(dim=1), "RSG7") == []


CAPTION = """
class Captions(nn.Module):
    def __init__(self, f, e, h, words):
        super().__init__()
        self.image, self.embed = nn.Linear(f, e), nn.Embedding(words, e)
        self.rnn = nn.LSTM(e, h, batch_first=True)

    def forward(self, features, captions):
        # features: (batch, f), captions: (batch, length)
        first = self.image(features).unsqueeze({at})
        return self.rnn(torch.cat((first, self.embed(captions)), dim=1))
"""


def test_samples_joined_to_steps() -> None:
    assert said(CAPTION.format(at=0), "RSG7") == [(11, "RSG707")]
    assert said(CAPTION.format(at=1), "RSG7") == []
