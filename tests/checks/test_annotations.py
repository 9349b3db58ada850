"""Annotations and contracts against what a program makes: wrong ones are told at the axis, right ones and those that say
nothing are not."""

from __future__ import annotations

import re

import pytest

from rnnshape_guard.findings import Diagnostic
from rnnshape_guard.settings import Settings
from rnnshape_guard.static.judgement import judge
from tests.checks.programs import said

WRONG = {
    "a result that forgot a direction, in names": """
class Net(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)

    def forward(
        self, x: Float[Tensor, "batch time width"], h: Float[Tensor, "two batch hidden"]
    ) -> Float[Tensor, "batch time hidden"]:  # RSG901
        return self.lstm(x, (h, h))[0]
""",
    "a local variable": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time features"]):
        out, h = self.gru(x)
        last: Float[Tensor, "batch 32"] = out[:, -1]  # RSG901
        return last
""",
    "an attribute": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time features"]):
        out, h = self.gru(x)
        self.memory: Float[Tensor, "layers batch time hidden"] = h  # RSG901
        return out
""",
    "the argument, where a layer knows better": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time 9"]):  # RSG901
        return self.gru(x)[0]
""",
    "two arguments that disagree, at the call": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time features"], y: Float[Tensor, "batch classes"]):
        return self.gru(x)[0], y

model = Net()
model(
    torch.randn(4, 7, 8),
    torch.randn(5, 2),  # RSG901
)
""",
    "a tuple of results": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(
        self, x: Float[Tensor, "batch time features"]
    ) -> tuple[
        Float[Tensor, "batch time 16"],
        Float[Tensor, "batch 16"],  # RSG901
    ]:
        out, h = self.gru(x)
        return out, h
""",
    "an optional state that is given": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(
        self,
        x: Float[Tensor, "batch time features"],
        h: Float[Tensor, "batch 16"] | None = None,  # RSG901
    ):
        return self.gru(x, h)[0]

Net()(torch.randn(4, 7, 8), torch.zeros(1, 4, 16))
""",
    "an alias": """
Batch = Float[Tensor, "batch time 10"]  # RSG901

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: Batch):
        return self.gru(x)[0]
""",
    "a kind of number": """
from jaxtyping import Int

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 8)
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, tokens: Float[Tensor, "batch time"]):  # RSG901
        return self.gru(self.embedding(tokens))[0]

Net()(torch.randint(0, 100, (4, 7)))
""",
    "axes that changed places, whatever their sizes": """
class Net(nn.Module):
    def __init__(self, bands, hidden):
        super().__init__()
        self.rnn = nn.RNN(bands, hidden, batch_first=False)

    def forward(
        self, x: Float[Tensor, "batch time bands"]
    ) -> Float[Tensor, "batch time hidden"]:  # RSG901
        return self.rnn(x.transpose(0, 1))[0]
""",
    "the axes behind those that stand for several": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time features"]) -> Float[Tensor, "*some 15"]:  # RSG901
        return self.gru(x)[0]
""",
    "a size of the module's": """
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.hidden = hidden
        self.gru = nn.GRU(8, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Float[Tensor, "batch time features"]) -> Float[Tensor, "batch time {self.hidden}"]:  # RSG901
        return self.gru(x)[0]
""",
    "the contract of a layer, in the body of the class": """
from rnnshape_guard import Recurrent

class Net(nn.Module):
    lstm: Recurrent[nn.LSTM, "batch time word -> batch time 2*hidden, 2*layers batch hidden"]  # RSG901

    def __init__(self, word, hidden):
        super().__init__()
        self.lstm = nn.LSTM(word, hidden, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]
""",
    "a contract joins the names of the call": """
import rnnshape_guard as rg

class Net(nn.Module):
    def __init__(self, word):
        super().__init__()
        self.gru: rg.Recurrent[nn.GRU, "batch time word -> batch time hidden"] = nn.GRU(word, 32, batch_first=True)

    def forward(
        self, x: Float[Tensor, "batch time word"]
    ) -> Float[Tensor, "batch 2*hidden"]:  # RSG901
        return self.gru(x)[0][:, -1]
""",
    "a contract for another layer": """
from rnnshape_guard import Recurrent

class Net(nn.Module):
    def __init__(self, word):
        super().__init__()
        self.rnn: Recurrent[nn.LSTM, "b t f -> b t h"] = nn.GRU(word, 32, batch_first=True)  # RSG901

    def forward(self, x):
        return self.rnn(x)[0]
""",
    "a shape stated inside": """
from rnnshape_guard import shaped

class Net(nn.Module):
    def __init__(self, word):
        super().__init__()
        self.rnn = nn.GRU(word, 32, batch_first=True)
        self.head = nn.Linear(32, 2)

    def forward(self, x: Float[Tensor, "batch time word"]):
        out, _ = self.rnn(x)
        return self.head(shaped(out, "batch 32"))  # RSG901
""",
    "a layer that reads the declared batch as time, by annotation": """
class Net(nn.Module):
    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden)  # RSG101

    def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch hidden"]:
        _, h_n = self.rnn(x)
        return h_n[-1]

Net(8, 16)(torch.randn(4, 7, 8))
""",
    "a layer that reads the declared batch as time, by contract": """
from rnnshape_guard import Recurrent

class Net(nn.Module):
    rnn: Recurrent[nn.GRU, "batch time word -> batch time hidden, layers batch hidden"]

    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden)  # RSG101

    def forward(self, x):
        return self.rnn(x)[0]
""",
    "a layer that reads the declared batch as time, by a stated shape": """
from rnnshape_guard import shaped

class Net(nn.Module):
    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden)  # RSG101

    def forward(self, x):
        return self.rnn(shaped(x, "batch time word"))[0]
""",
    "a permute that takes the declared batch away": """
class Net(nn.Module):
    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time hidden"]:
        x = x.permute(1, 0, 2)  # RSG301
        out, _ = self.rnn(x)
        return out
""",
    "spaces in arithmetic, and nothing else": """
class Net(nn.Module):
    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time 2 * word"]):  # RSG902
        out: Float[Tensor, "batch time)"] = self.rnn(x)[0]  # RSG902
        return out
""",
    "inside a union inside a tuple": """
from typing import Optional

class Net(nn.Module):
    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden, batch_first=True)

    def forward(
        self,
        x: Float[Tensor, "batch time word"],
        state: Optional[tuple[Float[Tensor, "layers batch 2hidden"], Float[Tensor, "b h"]]] = None,  # RSG902
    ):
        return self.rnn(x)[0]
""",
    "contracts that cannot be read": """
from rnnshape_guard import Recurrent, shaped

class Net(nn.Module):
    rnn: Recurrent[nn.GRU, "batch time word - batch time hidden"]  # RSG902
    lstm: Recurrent[nn.LSTM, "b t f, l b h, l b h, l b h -> b t h"]  # RSG902

    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden, batch_first=True)

    def forward(self, x):
        return shaped(self.rnn(x)[0], "batch, time, hidden")  # RSG902
""",
}

RIGHT = {
    "everything that an annotation may say": """
from typing import Annotated, Any, Optional, TYPE_CHECKING, Union
from jaxtyping import Bool, Int, Num, Shaped
import numpy as np
if TYPE_CHECKING:
    from jaxtyping import Float32

class Net(nn.Module):
    scale: Float[Tensor, ""]

    def __init__(self, hidden=16):
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(100, 8)
        self.lstm = nn.LSTM(8, hidden, batch_first=True, bidirectional=True)

    def forward(
        self,
        tokens: Int[Tensor, "batch time"],
        mask: Optional[Bool[Tensor, "batch #time"]] = None,
        state: tuple[Float[Tensor, "2 batch hidden"], Float[Tensor, "2 batch hidden"]] | None = None,
        extra: Union[Float[Tensor, "a b"], Float[Tensor, "a b c"], None] = None,
        more: list[Float[Tensor, "batch _"]] | None = None,
        table: Float[np.ndarray, "2 * rows"] = None,
        quoted: "Float[Tensor, 'batch time)']" = None,
        words: dict[str, Any] | None = None,
    ) -> tuple[Num[Tensor, "batch time 2*hidden"], Shaped[Tensor, "..."]]:
        x: Float[Tensor, "batch time features=8"] = self.embedding(tokens)
        out, (h_n, c_n) = self.lstm(x, state)
        both: Float[Tensor, "*some {self.hidden}*2"] = out
        flat: Float[Tensor, "batch*time 2*hidden"] = out.reshape(-1, 2 * self.hidden)
        h: Float32[Tensor, "2 batch hidden"] = h_n
        return out, h

model = Net()
model(torch.randint(0, 100, (4, 7)), torch.ones(4, 1, dtype=torch.bool), (torch.zeros(2, 4, 16), torch.zeros(2, 4, 16)))
""",
    "names of one call are not those of another": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)

    def last(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features"]:
        return x

    def forward(self, x: Float[Tensor, "batch time features"]) -> Float[Tensor, "batch width"]:
        out: Float[Tensor, "batch time width"] = self.rnn(x)[0]
        return self.last(out[:, -1]) + self.last(torch.zeros(16, 16))[0]

model = Net()
model(torch.randn(4, 7, 8))
model(torch.randn(5, 3, 8))
""",
    "sizes that may be equal": """
class Net(nn.Module):
    def __init__(self, word, hidden, bidirectional=False):
        super().__init__()
        self.rnn = nn.GRU(word, hidden, batch_first=True, bidirectional=bidirectional)

    def forward(
        self, x: Float[Tensor, "batch time width"], y: Float[Tensor, "batch width"]
    ) -> Float[Tensor, "batch time width"]:
        return self.rnn(x)[0]
""",
    "what one branch makes is not what the other does": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: Float[Tensor, "batch time features"], pool):
        out, h = self.rnn(x)
        if pool:
            y: Float[Tensor, "batch size"] = out.mean(1)
        else:
            y: Float[Tensor, "batch size features"] = x
        return y
""",
    "contracts that hold, packed and padded": """
from rnnshape_guard import Recurrent, guard, shaped
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

@guard
class Net(nn.Module):
    lstm: Recurrent[nn.LSTM, "batch time word, 2*layers batch hidden -> batch time 2*hidden, 2*layers batch hidden"]

    def __init__(self, word, hidden):
        super().__init__()
        self.lstm = nn.LSTM(word, hidden, num_layers=3, batch_first=True, bidirectional=True)
        self.cell: Recurrent[nn.GRUCell, "batch 2*hidden -> batch hidden"] = nn.GRUCell(2 * hidden, hidden)

    def forward(self, x: Float[Tensor, "batch time word"], lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, (h_n, _) = self.lstm(packed)
        out, _ = pad_packed_sequence(out, batch_first=True)
        h = self.cell(out[:, 0])
        return shaped(out, "batch _ 2*hidden"), shaped(h, "batch hidden")

Net(8, 16)(torch.randn(4, 7, 8), torch.tensor([7, 5, 3, 1]))
""",
    "a function of the same name, and strings of other libraries": """
def shaped(x, axes):
    return x

class TensorType:
    def __class_getitem__(cls, item):
        return cls

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=True)

    def forward(self, x: TensorType["batch", "2 * hid"]):
        return shaped(self.rnn(x)[0], "batch 2 * hid")
""",
}


def expected(program: str) -> list[tuple[int, str]]:
    """The rows that a program marks with a code."""
    return [
        (row, code) for row, line in enumerate(program.splitlines(), 1) for code in re.findall(r"# (RSG\d{3})", line)
    ]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ones_are_told_once_and_nothing_else_is(name: str) -> None:
    assert expected(WRONG[name])
    assert said(WRONG[name], "RSG1", "RSG2", "RSG3", "RSG4", "RSG5", "RSG9") == expected(WRONG[name])


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_and_silent_ones_are_left_alone(name: str) -> None:
    assert said(RIGHT[name], "RSG") == []


def one_finding(line: str) -> Diagnostic:
    """What is said of a module whose `forward` has this line behind its recurrent layer."""
    program = f"""\
import torch
from jaxtyping import Float
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, word, hidden):
        super().__init__()
        self.rnn = nn.GRU(word, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Float[Tensor, "batch time word"], h: Float[Tensor, "two batch hidden"]):
        out = self.rnn(x, h)[0]
        {line}
        return y
"""
    (found,) = judge(program, "program.py", Settings())
    return found


def underlined(line: str, found: Diagnostic) -> str:
    """The stretch of the line that a finding points at."""
    return (" " * 8 + line)[found.span.start.column - 1 : found.span.end.column - 1]


def test_a_mismatch_points_at_the_axis_and_speaks_in_the_names_of_the_call() -> None:
    line = 'y: Float[Tensor, "batch time hidden"] = out'
    found = one_finding(line)
    assert (found.code, underlined(line, found)) == ("RSG901", "hidden")
    assert found.message == "axis 2 of `y` is 2·hidden, but `hidden` is stated"
    assert found.expected == "(batch, time, hidden)"
    assert [note.text for note in found.evidence] == ["`hidden` is axis 2 of `h`"]
    assert found.help == '"batch time 2*hidden"'


def test_a_rank_points_at_the_string() -> None:
    line = 'y: Float[Tensor, "batch hidden"] = out'
    found = one_finding(line)
    assert found.message == "`y` has 3 axes, but `batch hidden` names 2"
    assert underlined(line, found) == '"batch hidden"'


@pytest.mark.parametrize(
    ("text", "character", "help_"),
    [
        ("batch time 2 * hidden", "2", "2*hidden"),
        ("batch 2hidden", "2", "2*hidden"),
        ("batch time)", ")", ""),
        ("batch time/2", "/", "time//2"),
    ],
)
def test_a_slip_is_shown_at_its_character(text: str, character: str, help_: str) -> None:
    line = f'y: Float[Tensor, "{text}"] = out'
    found = one_finding(line)
    assert found.code == "RSG902"
    assert underlined(line, found) == character
    assert found.help == help_


def test_a_slip_in_a_string_of_several_parts_is_shown_at_the_string() -> None:
    line = 'y: Float[Tensor, "batch " "time)"] = out'
    found = one_finding(line)
    assert (found.code, underlined(line, found)) == ("RSG902", '"batch " "time)"')
