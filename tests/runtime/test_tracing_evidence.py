"""What a running program says of its axes is evidence for the guard as it is for the checker, in the same words."""

from __future__ import annotations

import pytest

from rnnshape_guard.findings import Diagnostic, Finding
from rnnshape_guard.settings import Settings
from rnnshape_guard.static.judgement import judge
from tests.rules.reading import pages
from tests.runtime.programs import traced

HEAD = """\
import torch
from torch import Tensor, nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 8, batch_first=False)
        self.emb = nn.Embedding(9, 6)
"""
FOOT = """
model = Model()
model(torch.randn(4, 4, 6))
"""

# A forward, and what the finding's evidence says.
SAID = {
    "unpacked": ("def forward(self, x):\n batch, time, _ = x.shape\n return self.rnn(x)[0]", "unpacked from the shape"),
    "one size": ("def forward(self, x):\n batch_size = x.size(0)\n return self.rnn(x)[0]", "`batch_size` is the size"),
    "an index of the shape": ("def forward(self, x):\n bs = x.shape[0]\n return self.rnn(x)[0]", "`bs` is the size"),
    "two of the shape": ("def forward(self, x):\n batch, time = x.shape[:2]\n return self.rnn(x)[0]", "unpacked from"),
    "in a row": ("def forward(self, x):\n n, seq_len = x.size(0), x.size(1)\n return self.rnn(x)[0]", "`seq_len` is"),
    "a star": ("def forward(self, x):\n batch, time, *rest = x.shape\n return self.rnn(x)[0]", "unpacked from"),
    "an attribute": ("def forward(self, x):\n self.batch_size = x.size(0)\n return self.rnn(x)[0]", "`batch_size` is"),
    "after the call": (
        "def forward(self, x):\n out, _ = self.rnn(x)\n batch, time, _ = x.shape\n return out",
        "unpacked",
    ),
    "a comment above": (
        "def forward(self, x):\n # x: (batch, time, feature)\n return self.rnn(x)[0]",
        "written as (batch, time",
    ),
    "a comment above a plain line": (
        "def forward(self, x):\n # x: (batch, time, feature)\n total = 0\n return self.rnn(x)[0]",
        "written as (batch, time",
    ),
    "a comment behind": (
        "def forward(self, x):\n x = x + 1  # (batch, time, feature)\n return self.rnn(x)[0]",
        "written as (batch, time",
    ),
    "a comment of a part": (
        "def forward(self, x):\n out, h = self.rnn(x)  # out: (B, T, H)\n return out",
        "written as (B, T, H)",
    ),
    "a docstring": (
        'def forward(self, x):\n """Runs.\n\n Args:\n  x: (batch, time, feature)\n """\n return self.rnn(x)[0]',
        "written as (batch, time",
    ),
    "a comment of a parameter": (
        "def forward(\n  self,\n  x,  # (batch, time, feature)\n ):\n return self.rnn(x)[0]",
        "written as (batch, time",
    ),
    "made from names": (
        "def forward(self, x):\n batch_size, steps = 4, 5\n y = torch.randn(batch_size, steps, 6)\n return self.rnn(y)[0]",
        "made with the size `batch_size`",
    ),
    "a packed batch": (
        "def forward(self, x):\n nn.utils.rnn.pack_padded_sequence(x, [4] * 4, batch_first=True)\n return self.rnn(x)[0]",
        "pack_padded_sequence",
    ),
}


def findings_of(forward: str) -> tuple[list[Finding], list[Diagnostic], str]:
    body = "\n".join("    " + line for line in forward.replace("\n ", "\n    ").split("\n"))
    program = HEAD + "\n" + body + "\n" + FOOT
    result = traced(program, "<evidence>")
    assert result.error is None, result.error
    static = judge(program, "program.py", Settings())
    found = [one for one in result.findings if one.code == "RSG101"]
    return found, [one for one in static if one.code == "RSG101"], program


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_decides_which_axis_is_the_batch(name: str) -> None:
    forward, words = SAID[name]
    found, static, _ = findings_of(forward)
    assert len(found) == 1
    assert words in " ".join(because.text for because in found[0].because)
    assert all(because.place.span.filename == "<evidence>" for because in found[0].because if because.place)
    assert [one.message for one in static] in ([], [found[0].message])


def test_a_jaxtyping_annotation_is_declared() -> None:
    program = (
        "from jaxtyping import Float\n"
        + HEAD
        + '    def forward(self, x: Float[Tensor, "batch time feature"]):\n        return self.rnn(x)[0]\n'
        + FOOT
    )
    result = traced(program, "<annotated>")
    assert [error.code for error in result.violations] == ["RSG101"]
    assert result.violations[0].evidence[0].startswith('annotated "batch time feature"')


@pytest.mark.parametrize(
    "forward",
    [
        "def forward(self, x):\n return self.rnn(x)[0]",
        "def forward(self, x):\n time, batch, _ = x.shape\n return self.rnn(x)[0]",
        "def forward(self, x):\n rows, columns, _ = x.shape\n return self.rnn(x)[0]",
        "def forward(self, x):\n # x: (time, batch, feature)\n return self.rnn(x)[0]",
        "def forward(self, x):\n # y: (batch, time, feature)\n return self.rnn(x)[0]",
        "def forward(self, x):\n # x: (3, 4, 6)\n return self.rnn(x)[0]",
        "def forward(self, x):\n batch, time = self.emb.weight.shape\n return self.rnn(x)[0]",
        "def forward(self, x):\n batch, time, _ = x.shape\n return self.rnn(x.transpose(0, 1))[0]",
    ],
)
def test_what_agrees_or_says_nothing_is_silent(forward: str) -> None:
    found, static, _ = findings_of(forward)
    assert (found, static) == ([], [])


# Where what is known differs, so do the words: a size that only the running program has, the collation of a DataLoader
# that ran before the call.
KNOWN_MORE = {
    "RSG101-2",
    "RSG305-1",
    "RSG305-2",
    "RSG307-1",
    "RSG307-2",
    "RSG505-1",
    "RSG601-2",
    "RSG602-1",
    "RSG602-2",
}

BAD = [
    pytest.param(program, id=f"{page.code}-{number}")
    for page in pages()
    if page.facts.get("runtime") and not page.code.startswith(("RSG0", "RSG9"))  # annotations are the guard's
    for number, program in enumerate(page.bad, start=1)
    if f"{page.code}-{number}" not in KNOWN_MORE
]


@pytest.mark.filterwarnings("ignore", "error::rnnshape_guard.runtime.tracing.TracingWarning")
@pytest.mark.parametrize("program", BAD)
def test_the_words_are_the_checkers(program: str) -> None:
    static = {(one.code, one.span.start): one for one in judge(program, "p.py", Settings())}
    found = [one for one in traced(program, "<words>").findings if (one.code, one.place.span.start) in static]
    assert found
    for one in found:
        other = static[(one.code, one.place.span.start)]
        assert (one.message, one.expected, one.found) == (other.message, other.expected, other.found)
        assert one.help == other.help
        assert [because.text for because in one.because] == [note.text for note in other.evidence]
