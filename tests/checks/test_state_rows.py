"""A state viewed as one row for each layer and sample: wrong where each row becomes an answer."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

NET = """
class Net(nn.Module):
    def __init__(self, d, h, layers={layers}, both={both}):
        super().__init__()
        self.h, self.layers = h, layers
        self.rnn = nn.GRU(d, h, layers, batch_first=True, bidirectional=both)
        self.fc = nn.Linear(h, 3)

    def forward(self, x):
        _, state = self.rnn(x)
        rows = {rows}
        return {result}
"""


def program(
    rows: str = "state.view(-1, self.h)",
    result: str = "self.fc(rows)",
    layers: str = "2",
    both: str = "False",
    more: str = "",
) -> str:
    return NET.format(rows=rows, result=result, layers=layers, both=both) + more


@pytest.mark.parametrize("rows", ["state.view(-1, self.h)", "state.reshape(-1, self.h)", "state.flatten(0, 1)"])
@pytest.mark.parametrize("result", ["self.fc(rows)", "self.fc(torch.relu(rows))", "F.softmax(self.fc(rows), dim=-1)"])
def test_every_row_is_an_answer(rows: str, result: str) -> None:
    assert said(program(rows, result, more="\nNet(4, 5)(torch.randn(6, 7, 4))\n"), "RSG304") == [(11, "RSG304")]
    assert said(program(rows, result, layers="1", both="True", more="\nNet(4, 5)\n"), "RSG304") == [(11, "RSG304")]


def test_a_loss_compares_every_row() -> None:
    loss = "\nnet = Net(4, 5)\nx, y = torch.randn(6, 7, 4), torch.randint(0, 3, (6,))\nF.cross_entropy(net(x), y)\n"
    assert said(program(more=loss), "RSG304") == [(11, "RSG304")]


@pytest.mark.parametrize(
    ("rows", "result"),
    [
        ("state.view(-1, self.h)", "self.fc(rows).view(self.layers, -1, 3)"),
        ("state.view(-1, self.h)", "self.fc(rows).chunk(self.layers)[-1]"),
        ("state.view(-1, self.h)", "rows"),
        ("state[-1].view(-1, self.h)", "self.fc(rows)"),
        ("state.transpose(0, 1).reshape(-1, self.h)", "self.fc(rows)"),
    ],
)
def test_rows_that_are_parted_again_or_are_no_answers(rows: str, result: str) -> None:
    assert said(program(rows, result, more="\nNet(4, 5)(torch.randn(6, 7, 4))\n"), "RSG304") == []


def test_one_layer_has_one_row_for_each_sample() -> None:
    assert said(program(layers="1", more="\nNet(4, 5)(torch.randn(6, 7, 4))\n"), "RSG304") == []
    assert said(program(layers="1"), "RSG304") == [(11, "RSG304")]
    assert said(program(layers="1", more="\nNet(4, 5)\n"), "RSG304") == []
