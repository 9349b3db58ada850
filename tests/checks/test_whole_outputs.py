"""What is done with the outputs of all steps: written row by row, summed up, given on as a state, laid in a row."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

BUFFER = """
class Decoder(nn.Module):
    def __init__(self, words, h):
        super().__init__()
        self.embed, self.out = nn.Embedding(words, h), nn.Linear(h, words)
        self.rnn, self.words = nn.GRU(h, h, batch_first=True), words

    def forward(self, target, state):
        # target: (batch, length)
        batch_size, length = target.shape
        outputs = torch.zeros({sizes}, self.words)
        token = target[:, 0]
        for t in range(1, length):
            out, state = self.rnn(self.embed(token).unsqueeze(1), state)
            outputs[{index}] = self.out(out.squeeze(1))
            token = target[:, t]
        return outputs
"""


def test_a_buffer_is_written_along_the_axis_that_the_loop_counts() -> None:
    assert said(BUFFER.format(sizes="batch_size, length", index="t"), "RSG4") == [(15, "RSG409")]
    assert said(BUFFER.format(sizes="length, batch_size", index=":, t"), "RSG4") == [(15, "RSG409")]
    assert said(BUFFER.format(sizes="batch_size, length", index=":, t"), "RSG4") == []
    assert said(BUFFER.format(sizes="length, batch_size", index="t"), "RSG4") == []


MEAN = """
class Shopper(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, visits, lengths):
        # visits: (batch, time, d)
        out, _ = self.rnn(visits)
        {before}
        return {mean}
"""


@pytest.mark.parametrize("mean", ["out.sum(dim=1) / lengths.unsqueeze(1)", "out.sum(1) / lengths.unsqueeze(1).float()"])
def test_a_sum_over_padding_is_no_mean_for_being_divided_by_the_lengths(mean: str) -> None:
    assert said(MEAN.format(before="pass", mean=mean), "RSG4") == [(11, "RSG408")]
    mask = "out = out * (torch.arange(visits.size(1)) < lengths.unsqueeze(1)).unsqueeze(-1)"
    assert said(MEAN.format(before=mask, mean=mean), "RSG4") == []


SWAPPED = """
class Encoder(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.rnn = nn.GRU(d, h, batch_first=True)

    def forward(self, x):
        return self.rnn(x)

class Decoder(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.rnn = nn.GRU(h, h, batch_first=True)

    def forward(self, step, state, encoded):
        out, state = self.rnn(step.unsqueeze(1), state)
        return torch.bmm(out, encoded.transpose(1, 2)), state

def generate(x, step):
    encoder, decoder = Encoder(4, 5), Decoder(5)
    encoded, state = encoder(x)
    return decoder(step, {arguments})
"""


def test_outputs_are_no_state() -> None:
    assert said(SWAPPED.format(arguments="encoded, state"), "RSG5") == [(22, "RSG501")]
    assert said(SWAPPED.format(arguments="state, encoded"), "RSG5") == []


ROW = """
class Net(nn.Module):
    def __init__(self, d, h, steps=None):
        super().__init__()
        self.rnn = nn.LSTM(d, h, batch_first=True, bidirectional=True)
        self.head = nn.Linear({width}, 3)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.head({row})
"""


@pytest.mark.parametrize("row", ["torch.flatten(out, start_dim=1)", "out.reshape(x.size(0), -1)", "out.flatten(1)"])
def test_all_steps_in_a_row_are_more_than_one(row: str) -> None:
    assert said(ROW.format(width="2 * h", row=row), "RSG2") == [(10, "RSG201")]
    assert said(ROW.format(width="2 * h * steps", row=row), "RSG2") == []
    assert said(ROW.format(width="2 * h", row=row) + "\nNet(4, 5)(torch.randn(6, 1, 4))\n", "RSG2") == []
