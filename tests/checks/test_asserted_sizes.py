"""What an assertion says of a tensor's sizes is so from there on."""

from __future__ import annotations

import pytest

from tests.checks.programs import said

PROGRAM = """
class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 16, batch_first={batch_first})

    def forward(self, x, batch_size, seq_len, width=6):
        assert {said}, 'not what was asked for'
        return self.rnn(x)[0]
"""


@pytest.mark.parametrize(
    ("words", "batch_first", "codes"),
    [
        ("x.shape == (batch_size, seq_len, 6)", "True", []),
        ("x.shape == (batch_size, seq_len, 6)", "False", ["RSG101"]),
        ("(seq_len, batch_size, 6) == x.size()", "False", []),
        ("x.dim() == 3 and x.shape == (seq_len, batch_size, 6)", "True", ["RSG101"]),
        ("list(x.shape) == [seq_len, batch_size, 6]", "True", []),
        ("x.shape[1:] == (50, 6)", "True", []),
        ("x.shape[1:] == (6, 50)", "True", ["RSG203"]),
        ("x.shape[-2:] == (6, 50)", "True", []),
        ("x.shape != (3, 6, 50)", "True", []),
        ("x.shape == (seq_len, batch_size, 6) or width", "True", []),
    ],
)
def test_an_assertion_of_sizes(words: str, batch_first: str, codes: list[str]) -> None:
    program = PROGRAM.replace("{said}", words).replace("{batch_first}", batch_first)
    assert [code for code in ("RSG101", "RSG203") if said(program, code)] == codes
