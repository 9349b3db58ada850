"""The result of a probe: verdicts, what they stand on, and how they are said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rnnshape_guard.runtime.probing.company import Alone
from rnnshape_guard.runtime.probing.dependence import Dependence, Seen, counted, ones
from rnnshape_guard.runtime.probing.gradients import Gradients
from rnnshape_guard.runtime.probing.perturbing import Part

MOST_LINES = 6
WIDEST = 64


@dataclass(frozen=True, slots=True)
class Shown:
    """A tensor as the head line shows it: its name, its sizes, and the words for those that are known."""

    name: str
    sizes: tuple[int, ...]
    batch: int | None
    time: int | None

    def __str__(self) -> str:
        if not self.sizes:
            return f"{self.name} (a number)"
        words = {self.batch: "batch ", self.time: "time "}
        words.pop(None, None)
        sizes = ", ".join(f"{words.get(place, '')}{size}" for place, size in enumerate(self.sizes))
        return f"{self.name} ({sizes})"


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe saw. `print` it for a picture, `plot` it to a file, or ask for a verdict.

    `batch` and `time` hold one Dependence for each output with that axis. `cause` names what mixes the samples where it
    is known. `assumed` says which axes were not told, `alone` what was left unchanged and why, and `notes` what could
    not be measured.
    """

    title: str
    inputs: tuple[Shown, ...]
    outputs: tuple[Shown, ...]
    batch: tuple[Dependence, ...] = ()
    time: tuple[Dependence, ...] = ()
    together: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = ()
    idle_samples: tuple[Part, ...] = ()
    idle_steps: tuple[Part, ...] = ()
    idle_inputs: tuple[str, ...] = ()
    gradients: Gradients = field(default_factory=Gradients)
    company: Alone = field(default_factory=Alone)
    reads_padding: bool | None = None
    cause: str = ""
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    varied: str = "the inputs"
    varied_steps: str = "the inputs"
    has_recurrence: bool = False

    @property
    def independent(self) -> bool | None:
        """Whether each sample's results were seen to depend on no other sample; None where nothing can be told.

        A single number, such as a loss, is independent if it is a sum or mean of what each sample gives by itself.
        """
        verdicts = [each.clean for each in self.batch] + [not pairs for _, pairs in self.together]
        return False if False in verdicts else True if True in verdicts else None

    @property
    def causal(self) -> bool | None:
        """Whether no step of the outputs was seen to depend on a later step of the inputs; None where nothing can be told."""
        verdicts = [each.clean for each in self.time]
        return False if False in verdicts else True if True in verdicts else None

    @property
    def half_seen(self) -> tuple[str, ...]:
        """The directions of bidirectional layers that are read only where they have seen a single step."""
        return tuple(str(each) for each in self.gradients.half_seen)

    @property
    def unused(self) -> tuple[str, ...]:
        """What changes nothing: inputs, samples and steps of them, layers, directions and weights."""
        found = [f"input `{name}`" for name in self.idle_inputs]
        if self.idle_samples:
            found.append(f"{counted('sample', self.idle_samples)} of {self.varied}")
        if self.idle_steps:
            found.append(f"{counted('step', self.idle_steps)} of {self.varied_steps}")
        return (*found, *self.gradients.unused)

    @property
    def problems(self) -> tuple[str, ...]:
        """Each thing that is hardly ever meant, in a sentence. Looking ahead is none: it is what two directions do."""
        found = [self._mixing(each) for each in self.batch if each.clean is False]
        for name, pairs in self.together:
            if pairs:
                first = pairs[0][0]
                others = counted("sample", ones([other for one, other in pairs if one == first]))
                found.append(f"`{name}` is no sum or mean over the samples: sample {first} acts together with {others}")
        if self.idle_samples:
            change = "changes" if len(self.idle_samples) == 1 and len(self.idle_samples[0]) == 1 else "change"
            found.append(f"{counted('sample', self.idle_samples)} of {self.varied} {change} nothing")
        found += [
            f"no axis of `{shown.name}` follows the batch, and axis {shown.time} follows the time"
            for shown in self.outputs
            if shown.batch is None and shown.time is not None and self._depends(shown.name) and self.samples > 1
        ]
        found += self.half_seen
        if self.reads_padding:
            found.append("the padding changes the result: values past the end of a sample are read")
        elif self.company.padding:
            samples = counted("sample", ones(self.company.padding))
            found.append(f"the padding changes the result: without it the numbers of {samples} are others")
        if self.company.lost_axis:
            found.append(self.company.lost_axis)
        if self.company.differing and not found:
            samples = counted("sample", ones(self.company.differing))
            found.append(
                f"the size of the batch changes the result: in a batch of one the numbers of {samples} are others"
            )
        return tuple(found)

    @property
    def samples(self) -> int:
        """How many samples the inputs have; 0 where they have no batch axis."""
        return max((shown.sizes[shown.batch] for shown in self.inputs if shown.batch is not None), default=0)

    def _depends(self, output: str) -> bool:
        cells = (row for each in self.time if each.output == output for row in each.cells)
        return any(Seen.DEPENDS in row for row in cells)

    def assert_independent(self) -> None:
        """Raise AssertionError, naming the samples, unless every sample was seen to depend on itself and no other.

        Raises too where nothing could be told: no axis of the outputs follows the batch.
        """
        if self.independent and not self.idle_samples:
            return
        lines = []
        if self.independent is False:
            lines.append(f"the samples of {self.title} are mixed")
        elif self.independent is None:
            lines.append(f"it cannot be told whether the samples of {self.title} are independent")
        else:
            lines.append(f"samples of {self.title} are ignored")
        for each in self.batch:
            lines += [f"  {line}" for line in self._crossings(each)]
        for name, pairs in self.together:
            lines += [f"  samples {one} and {other} act on `{name}` together" for one, other in pairs[:MOST_LINES]]
        if self.idle_samples:
            lines.append(f"  nothing depends on {counted('sample', self.idle_samples)} of {self.varied}")
        if self.cause:
            lines.append(f"  because {self.cause}")
        lines += [f"  assumed: {words}" for words in self.assumed]
        if self.independent is None:
            lines += [f"  {words}" for words in self.notes]
        raise AssertionError("\n".join(lines))

    def plot(self, path: str | Path) -> Path:
        """Draw the picture into a file (png, svg, pdf, by its ending) and give its path.

        Raises ModuleNotFoundError, with the extra to install, where matplotlib is missing.
        """
        from rnnshape_guard.runtime.probing.picture import draw

        return draw(self, Path(path))

    def __str__(self) -> str:
        from rnnshape_guard.runtime.probing.text import portrait

        return portrait(self)

    def verdicts(self) -> Iterator[tuple[str, str, str]]:
        """A sign (well ✓, wrong ✗, to be looked at !, or neither), what was asked, and the answer in words."""
        wrong = [words for words in self.problems if words.startswith("samples are mixed") or "no sum or mean" in words]
        yield self._batch_verdict(wrong)
        if self.time:
            yield self._time_verdict()
        for words in self.problems:
            if words not in wrong:
                yield "✗", "reading", words
        yield self._unused_verdict()

    def _batch_verdict(self, wrong: list[str]) -> tuple[str, str, str]:
        match self.independent:
            case None:
                return " ", "samples", "it cannot be told whether they are independent"
            case False:
                return (
                    "✗",
                    "samples",
                    "; ".join(wrong).replace("samples are mixed", "mixed")
                    + (f", because {self.cause}" if self.cause else ""),
                )
        if not self.batch:
            return "✓", "samples", "independent: no two were seen to act together, which is no proof"
        if all(each.is_ruled_out for each in self.batch if each.clean):
            return "✓", "samples", "independent: NaN put into one sample reached no other"
        return "✓", "samples", "independent: no change to one sample was seen in another, which is no proof"

    def _time_verdict(self) -> tuple[str, str, str]:
        match self.causal:
            case None:
                return " ", "steps", "no output has steps that can be compared with those of the inputs"
            case False:
                row, column, name = next(
                    (each.rows[row], each.columns[column], each.output)
                    for each in self.time
                    for row, column in each.crossings()
                )
                return (
                    " ",
                    "steps",
                    f"not causal: step {row} of `{name}` depends on step {column} of {self.varied_steps}",
                )
        if all(each.is_alone for each in self.time if each.clean):
            words = "each depends on the same step alone: nothing is carried from step to step"
            return ("!" if self.has_recurrence else " "), "steps", words
        if all(each.is_ruled_out for each in self.time if each.clean):
            return "✓", "steps", "causal: NaN put into a later step reached no earlier one"
        return "✓", "steps", "causal: no change to a later step was seen in an earlier one, which is no proof"

    def _unused_verdict(self) -> tuple[str, str, str]:
        told = [words for words in self.unused if not any(words in problem for problem in self.problems)]
        if told:
            return "!", "unused", ", ".join(told)
        if self.gradients.silent:
            return " ", "unused", f"no input; of layers nothing is known: {self.gradients.silent}"
        if self.unused:
            return " ", "unused", "nothing else"
        return "✓", "unused", "nothing: every input and every layer was seen to matter"

    def _mixing(self, each: Dependence) -> str:
        row, columns = next(iter(_rows_of(each)))
        return f"samples are mixed: sample {row} of `{each.output}` depends on {counted('sample', columns)} of {self.varied}"

    def _crossings(self, each: Dependence) -> list[str]:
        rows = [
            f"sample {row} of `{each.output}` depends on {counted('sample', columns)} of {self.varied}"
            for row, columns in _rows_of(each)
        ]
        return rows if len(rows) <= MOST_LINES else [*rows[: MOST_LINES - 1], f"and {len(rows) - MOST_LINES + 1} more"]


def _rows_of(each: Dependence) -> list[tuple[Part, list[Part]]]:
    found: dict[int, list[Part]] = {}
    for row, column in each.crossings():
        found.setdefault(row, []).append(each.columns[column])
    return [(each.rows[row], columns) for row, columns in found.items()]
