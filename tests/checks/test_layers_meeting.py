"""A state of several layers that is computed with outputs: its layers meet samples or steps."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

NET = """
class Attention(nn.Module):
    def __init__(self, d, h, layers={layers}):
        super().__init__()
        self.rnn = nn.LSTM(d, h, layers, batch_first={first})
        self.query, self.memory = nn.Linear(h, h), nn.Linear(h, h)

    def forward(self, x):
        batch_size, steps, _ = x.shape
        out, state = self.rnn(x)
        return torch.tanh(self.query({state}) + self.memory(out)).sum(1)

Attention(4, 5)(torch.randn(6, 7, 4))
"""


@pytest.mark.parametrize("state", ["state[0]", "state[1]"])
def test_layers_meet_samples(state: str) -> None:
    assert said(NET.format(layers=2, first=True, state=state), "RSG7") == [(11, "RSG707")]


@pytest.mark.parametrize("state", ["state[0][-1].unsqueeze(1)", "state[0].mean(0).unsqueeze(1)"])
def test_the_last_layer_is_one_step(state: str) -> None:
    assert said(NET.format(layers=2, first=True, state=state), "RSG7") == []


def test_one_layer_is_one_step() -> None:
    assert said(NET.format(layers=1, first=False, state="state[0]"), "RSG707") == []
