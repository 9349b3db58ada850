"""What the generator hands over: the lines of a right program, the mistakes that can be planted in it, how to measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

SHOWN_BY: dict[str, frozenset[str]] = {
    # Which axis is the batch: said of the input, or seen in how states are built and results are read.
    "layout": frozenset({"document", "unpacked", "driver", "loader", "convolution", "state", "use"}),
    # The same of the input alone, before anything is turned.
    "input": frozenset({"document", "unpacked", "driver", "loader", "convolution"}),
    # How wide the input is.
    "width": frozenset({"sizes", "front"}),
    "sizes": frozenset({"sizes"}),
    "use": frozenset({"use"}),
    # The batch may be of any size: no driver says how many samples there are.
    "free": frozenset({"free"}),
    # A loss compares the result with targets; what their axes are.
    "loss": frozenset({"loss"}),
    "target": frozenset({"target"}),
}
"""What in a program shows what, by the names that the generator gives to its evidence."""

Role = Literal["batch", "time", "feature", "channel", "height", "width"]


@dataclass(eq=False, slots=True)
class Line:
    """A statement as it is printed, indented; it may span several rows. `tags` say what it is for."""

    text: str
    tags: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """How many rows it takes; none if it is empty."""
        return self.text.count("\n") + 1 if self.text else 0


@dataclass(frozen=True, slots=True)
class Mistake:
    """One line that stands wrong: `text` instead of what `line` says, or nothing at all.

    A finding is at a right line if it stands on that line, or on a line with one of the tags in `also`. `needs` is what
    the text has to show for this to be a mistake that can be read, a key of `SHOWN_BY`, or empty.
    """

    kind: str
    line: Line
    text: str
    also: frozenset[str] = frozenset()
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor to call the model with. `bound` is the number of tokens, 0 for real numbers.

    `steps` is the axis that becomes the time where it is not called so: the rows of an image.
    """

    name: str
    axes: tuple[tuple[Role, int], ...]
    bound: int = 0
    steps: int | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes alone."""
        return tuple(size for _, size in self.axes)

    def axis(self, role: Role) -> int | None:
        """Where the axis of a role stands."""
        return next((at for at, (one, _) in enumerate(self.axes) if one == role), None)


@dataclass(frozen=True, slots=True)
class Measured:
    """How to run a fresh model: `build` makes it, `call` uses it as ``model`` on the inputs by name and gives a tensor.

    `batch` and `time` are the axes of that tensor, `lengths` the sequence lengths, longest first, if it takes them.
    `causal`: no step of the result may depend on a later one. `free_batch`: the model takes any number of samples.
    """

    build: str
    call: str
    inputs: tuple[Input, ...]
    batch: int
    time: int | None
    lengths: tuple[int, ...] = ()
    causal: bool = False
    free_batch: bool = True


@dataclass(frozen=True, slots=True)
class Program:
    """A right program, and every mistake that can be planted in it."""

    seed: int
    family: str
    lines: tuple[Line, ...]
    mistakes: tuple[Mistake, ...]
    measured: Measured
    evidence: frozenset[str]

    def source(self, mistake: Mistake | None = None) -> str:
        """The program's text, with a mistake planted."""
        return "".join(f"{line.text}\n" for line in self.planted(mistake) if line.text or not line.tags)

    def planted(self, mistake: Mistake | None) -> Iterator[Line]:
        """The program's lines, with a mistake planted; a line that the mistake leaves out has no text."""
        for line in self.lines:
            yield Line(mistake.text, line.tags | {"gone"}) if mistake and line is mistake.line else line

    def right_rows(self, mistake: Mistake) -> frozenset[int]:
        """The rows of the faulty text on which a finding is where a reader wants it."""
        rows: set[int] = set()
        row = 1
        for line in self.planted(mistake):
            height = line.rows if line.text else int(not line.tags)
            if "gone" in line.tags or line.tags & mistake.also:
                rows.update(range(row, row + height))
            row += height
        return frozenset(rows)

    def decidable(self, mistake: Mistake) -> bool:
        """Whether the text shows that it is a mistake: a layout, say, needs something to contradict."""
        return all(self.evidence & SHOWN_BY[need] for need in mistake.needs.split())
