"""Beams: the order in which a state is repeated is the order in which its answers come."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

DECODER = """
def inflate(tensor, times, dim):
    repeats = [1] * tensor.dim()
    repeats[dim] = times
    return tensor.repeat(*repeats)

class Decoder(nn.Module):
    def __init__(self, words, h, k):
        super().__init__()
        self.k, self.words = k, words
        self.embed, self.out = nn.Embedding(words, h), nn.Linear(h, words)
        self.rnn = nn.GRU(h, h, num_layers=2, batch_first=True)

    def forward(self, state):
        layers, batch_size, _ = state.shape
        state = {repeat}
        tokens = torch.ones(batch_size * self.k, 1, dtype=torch.long)
        out, state = self.rnn(self.embed(tokens), state)
        scores = self.out(out.squeeze(1))
        return scores.view({view}, self.words)
"""


@pytest.mark.parametrize("repeat", ["state.repeat(1, self.k, 1)", "inflate(state, self.k, 1)"])
def test_blocks_are_no_neighbours(repeat: str) -> None:
    assert said(DECODER.format(repeat=repeat, view="batch_size, self.k"), "RSG3") == [(20, "RSG303")]
    assert said(DECODER.format(repeat=repeat, view="self.k, batch_size"), "RSG3") == []


def test_neighbours_are_no_blocks() -> None:
    repeat = "state.repeat_interleave(self.k, dim=1)"
    assert said(DECODER.format(repeat=repeat, view="batch_size, self.k"), "RSG3") == []
