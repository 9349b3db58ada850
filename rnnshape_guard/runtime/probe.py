"""`probe`: which outputs of a model depend on which of its inputs, measured by running it.

    >>> probe(model, x).independent
    False

It changes one sample after the other, and one step after the other, and looks at what moves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from torch import nn
from torch.nn.parameter import is_lazy

from rnnshape_guard.runtime.probing.axes import AxisChoice, annotations_of, lay_inputs
from rnnshape_guard.runtime.probing.causes import cause_of, pattern_of
from rnnshape_guard.runtime.probing.company import (
    MOST_ALONE,
    MOST_PAIRS,
    Alone,
    acting_together,
    reads_padding,
    run_alone,
)
from rnnshape_guard.runtime.probing.dependence import listed
from rnnshape_guard.runtime.probing.gradients import Gradients, read_gradients
from rnnshape_guard.runtime.probing.leaves import Leaf
from rnnshape_guard.runtime.probing.measuring import Along, Baseline, Measure
from rnnshape_guard.runtime.probing.outputs import find_axes, unfold
from rnnshape_guard.runtime.probing.perturbing import ROUNDS, Inputs, left_alone
from rnnshape_guard.runtime.probing.probed import Probed, Shown
from rnnshape_guard.runtime.probing.running import Runner
from rnnshape_guard.runtime.probing.waiting import Waiting

__all__ = ["Probed", "probe"]

PARTS: Final = 32


def probe(
    model: Callable[..., Any],
    *inputs: Any,
    batch: AxisChoice = "infer",
    time: AxisChoice = "infer",
    batch_out: AxisChoice = "infer",
    time_out: AxisChoice = "infer",
    named: Mapping[str, Any] | None = None,
    fixed: Iterable[str] = (),
    parts: int = PARTS,
    nan: bool | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Probed:
    """Measure which outputs of a model depend on which inputs, along the batch and along the time.

        >>> result = probe(model, x)
        >>> result.independent, result.causal, result.unused
        (True, False, ('layer 0 of `encoder`',))
        >>> print(result)                      # a picture
        >>> result.assert_independent()        # in a test

    `model` is a module or any function of tensors; its mode is left as it is, so probe `model.eval()` as well as a model
    in training. `inputs`, and `named` for keyword arguments, may be nested in tuples, lists, mappings and dataclasses, and
    may be packed sequences. Whole numbers are exchanged for others among them; masks, lengths and what `fixed` names stay.

    `batch` and `time` are the axes of the inputs, `batch_out` and `time_out` those of the outputs: a number for all, a
    mapping from names (``{"x": 1}``, ``{"output[1]": None}``) for some, None where there is none. What is not told is
    taken from jaxtyping annotations, from which axis of the outputs follows the inputs' size, and else assumed: batch
    first; the result says so.

    Samples beyond `parts` are changed together, and more steps than that in as many runs of neighbours. `nan` says
    whether NaN is put into the inputs to rule dependence out; by default only on the CPU, since an accelerator may be
    stopped by it for good. Parameters, buffers, gradients, modes, state kept on modules and all random states are
    afterwards what they were.

    Raises ValueError for axes and names that the tensors do not have, and whatever the model raises.
    """
    if parts < 2:
        raise ValueError(f"parts is to be 2 or more, and is {parts}")
    _refuse_lazy(model)
    with Runner(model, inputs, named or {}, seed) as runner:
        return _probe(runner, (batch, time), (batch_out, time_out), fixed, parts, nan, progress)


def _probe(
    runner: Runner,
    axes_in: tuple[AxisChoice, AxisChoice],
    axes_out: tuple[AxisChoice, AxisChoice],
    fixed: Iterable[str],
    most: int,
    nan: bool | None,
    progress: bool,
) -> Probed:
    leaves = runner.inputs
    if not leaves:
        raise ValueError("there is no tensor among the inputs to change")
    annotations = annotations_of(runner.signature)
    layout = lay_inputs(leaves, axes_in[0], axes_in[1], annotations)
    outputs = runner.first_run()
    if not outputs:
        raise ValueError("there is no tensor among the outputs to look at")
    baseline = Baseline.of(outputs, runner.run())
    padding = frozenset(
        int(each.padding_idx)
        for each in runner.called((nn.Embedding, nn.EmbeddingBag))
        if isinstance(each, (nn.Embedding, nn.EmbeddingBag)) and each.padding_idx is not None
    )
    alone = left_alone(leaves, layout, fixed, padding)
    given = Inputs(tuple(leaves), layout, alone, padding)
    if not given.changing:
        raise ValueError(f"no input can be changed: {listed([f'`{name}`: {why}' for name, why in alone.items()])}")
    batches, times = find_axes(runner, given, baseline, axes_out, annotations)
    if axes_out[0] == "infer":
        baseline = unfold(runner, given, baseline, batches, times)
    use_nan = all(leaf.value.device.type == "cpu" for leaf in leaves) if nan is None else nan
    measure = Measure(runner, given, baseline, nan=use_nan)
    with Waiting(_runs(given, baseline, most, nan=use_nan), shown=progress) as waiting:
        runner.on_run = waiting.advance
        return _measured(measure, runner, batches, times, most)


def _measured(
    measure: Measure,
    runner: Runner,
    batches: dict[str, int | None],
    times: dict[str, int | None],
    most: int,
) -> Probed:
    given, layout = measure.inputs, measure.inputs.layout
    samples = layout.samples if any(given.axes(leaf).batch is not None for leaf in given.changing) else None
    steps = layout.steps if any(given.axes(leaf).time is not None for leaf in given.changing) else None
    nothing = Along((), (), ())
    along_batch = measure.along("batch", samples, batches, most) if samples else nothing
    along_time = measure.along("time", steps, times, most) if steps else nothing
    numbers = [leaf.name for leaf in measure.baseline.outputs if leaf.value.numel() == 1 and _is_fraction(leaf)]
    together = [
        (name, tuple(acting_together(runner, measure, samples, name)))
        for name in numbers
        if samples and samples > 1 and batches.get(name) is None
    ]
    gradients = _gradients(runner)
    mixed = any(each.clean is False for each in along_batch.dependences) or any(pairs for _, pairs in together)
    cause = cause_of(measure, runner, batches, most, samples, numbers) if mixed and samples else ""
    recurrent = runner.called((nn.RNNBase, nn.RNNCellBase))
    if mixed and not cause:
        cause = pattern_of(runner, along_batch.dependences, along_time.dependences)
    lengths = given.lengths()
    longest = int(lengths.max()) if lengths is not None and lengths.numel() else steps or 0
    company = run_alone(runner, measure, batches, times, samples) if samples and samples > 1 else Alone()
    varied, varied_steps = (
        _varied([leaf for leaf in given.changing if getattr(given.axes(leaf), axis) is not None])
        for axis in ("batch", "time")
    )
    return Probed(
        title=_title(runner.model),
        inputs=tuple(
            Shown(leaf.name, tuple(leaf.value.shape), given.axes(leaf).batch, given.axes(leaf).time)
            for leaf in given.all
        ),
        outputs=tuple(
            Shown(leaf.name, tuple(leaf.value.shape), batches.get(leaf.name), times.get(leaf.name))
            for leaf in measure.baseline.outputs
        ),
        batch=along_batch.dependences,
        time=along_time.dependences,
        together=tuple(together),
        idle_samples=tuple(along_batch.idle),
        idle_steps=tuple(part for part in along_time.idle if part.start < longest),
        idle_inputs=tuple(measure.idle_inputs()),
        gradients=gradients,
        company=company,
        reads_padding=reads_padding(measure, batches, times),
        cause=cause,
        assumed=tuple(layout.assumed),
        notes=tuple(_notes(measure, batches, times, company, samples, steps, most)),
        has_recurrence=bool(recurrent),
        varied=varied,
        varied_steps=varied_steps,
    )


def _varied(leaves: Sequence[Leaf]) -> str:
    return f"`{leaves[0].name}`" if len(leaves) == 1 else "the inputs"


def _runs(given: Inputs, baseline: Baseline, most: int, *, nan: bool) -> int:
    """About how many runs it takes, for a person to see how long it lasts."""
    along = sum(min(size or 0, most) for size in (given.layout.samples, given.layout.steps))
    pairs = min(given.layout.samples or 0, MOST_PAIRS)
    numbers = sum(leaf.value.numel() == 1 for leaf in baseline.outputs)
    of_pairs = ROUNDS * (1 + pairs * (pairs + 1) // 2) * numbers
    return (ROUNDS + nan) * along + of_pairs + ROUNDS * (len(given.changing) + 1) + 2 * MOST_ALONE


def _gradients(runner: Runner) -> Gradients:
    with contextlib.suppress(Exception):
        return read_gradients(runner)
    # A model may not take the states that it is started from.
    try:
        return read_gradients(runner, started=False)
    except Exception as error:  # noqa: BLE001 - what a model raises with gradients is told, and the rest still measured
        return Gradients(silent=f"with gradients the model raises {type(error).__name__}")


def _notes(
    measure: Measure,
    batches: Mapping[str, int | None],
    times: Mapping[str, int | None],
    company: Alone,
    samples: int | None,
    steps: int | None,
    most: int,
) -> Iterable[str]:
    for name, why in measure.inputs.alone.items():
        yield f"`{name}` was left alone: {why}"
    if samples == 1:
        yield "there is one sample only: give two or more to see whether they are mixed"
    if samples is None:
        yield "no input has a batch axis"
    for leaf in measure.baseline.outputs:
        if samples and samples > 1 and leaf.value.numel() > 1 and batches.get(leaf.name) is None:
            yield f"no axis of `{leaf.name}` follows the batch"
        place = batches.get(leaf.name)
        if place is not None and samples and leaf.value.shape[place] != samples:
            yield f"the batch of `{leaf.name}` has size {leaf.value.shape[place]}, and that of the inputs {samples}"
    if not measure.baseline.is_repeatable:
        yield "two runs with the same inputs and seed differ; smaller differences than ten times that were passed over"
    if company.error:
        yield f"a batch of one raises {company.error}"
    if samples and samples > most:
        yield f"samples {most - 1}–{samples - 1} were changed together"
    if steps and steps > most:
        yield f"the {steps} steps were changed in {most} runs of neighbours"


def _is_fraction(leaf: Leaf) -> bool:
    return leaf.value.is_floating_point()


def _title(model: Callable[..., Any]) -> str:
    if isinstance(model, nn.Module):
        return f"`{type(model).__name__}`"
    name = getattr(model, "__qualname__", type(model).__name__).rpartition(".")[2]
    return "the function" if name == "<lambda>" else f"`{name}`"


def _refuse_lazy(model: object) -> None:
    if isinstance(model, nn.Module) and any(is_lazy(each) for each in (*model.parameters(), *model.buffers())):
        raise ValueError("the model has lazy layers that have no size yet: call it once before it is probed")
