"""`probe`: which outputs of a model depend on which of its inputs, measured by running it.

    >>> probe(model, x).independent
    False

It changes one sample after the other, and one step after the other, and looks at what moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from rnnshape_guard.runtime.probing.axes import AxisChoice, annotations_of, lay_inputs, lay_outputs
from rnnshape_guard.runtime.probing.company import (
    MOST_ALONE,
    MOST_PAIRS,
    Alone,
    acting_together,
    fewer,
    reads_padding,
    run_alone,
)
from rnnshape_guard.runtime.probing.dependence import Dependence, listed
from rnnshape_guard.runtime.probing.gradients import Gradients, read_gradients
from rnnshape_guard.runtime.probing.leaves import Leaf
from rnnshape_guard.runtime.probing.measuring import Along, Baseline, Measure
from rnnshape_guard.runtime.probing.perturbing import ROUNDS, Inputs, Part, left_alone, mask_along
from rnnshape_guard.runtime.probing.probed import Probed, Shown
from rnnshape_guard.runtime.probing.running import Folded, Runner
from rnnshape_guard.runtime.probing.waiting import Waiting
from rnnshape_guard.shapes.axes import Role

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

    Samples beyond `parts` are changed together, and more steps than that in as many runs of neighbours. `nan` says whether NaN is put into the inputs to
    rule dependence out; by default only on the CPU, since an accelerator may be stopped by it for good. Parameters,
    buffers, gradients, modes, state kept on modules and all random states are afterwards what they were.

    Raises ValueError for axes and names that the tensors do not have, and whatever the model raises.
    """
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
    batches, times = _lay_outputs(runner, given, baseline, axes_out, annotations)
    if axes_out[0] == "infer":
        baseline = _unfold(runner, given, baseline, batches, times)
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
    cause = _cause(measure, runner, batches, most, samples, numbers) if mixed and samples else ""
    recurrent = runner.called((nn.RNNBase, nn.RNNCellBase))
    if mixed and not cause:
        cause = _pattern(runner, along_batch.dependences, along_time.dependences)
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


def _lay_outputs(
    runner: Runner,
    given: Inputs,
    baseline: Baseline,
    choices: tuple[AxisChoice, AxisChoice],
    annotations: Mapping[str, Any],
) -> tuple[dict[str, int | None], dict[str, int | None]]:
    found: list[dict[str, int | None]] = []
    layout = given.layout
    first = next((leaf for leaf in given.all if given.axes(leaf).batch is not None), None)
    for choice, role, size in zip(choices, (Role.BATCH, Role.TIME), (layout.samples, layout.steps), strict=True):
        word = "batch" if role is Role.BATCH else "time"
        custom = getattr(given.axes(first), word) if first is not None else None
        less = None
        if size is not None and not isinstance(choice, int) and choice is not None:
            less = _run_fewer(runner, fewer(given, word, size))
        found.append(lay_outputs(baseline.outputs, choice, role, size, custom, less, annotations, layout.assumed))
    batches, times = found
    return batches, {name: None if axis == batches[name] else axis for name, axis in times.items()}


def _unfold(
    runner: Runner, given: Inputs, baseline: Baseline, batches: dict[str, int | None], times: dict[str, int | None]
) -> Baseline:
    """Cut in two the axes that hold samples and steps together, as `view(-1, classes)` makes them for a loss."""
    samples = given.layout.samples
    missing = [leaf for leaf in baseline.outputs if batches[leaf.name] is None and leaf.value.dim()]
    if not missing or samples is None or samples < 2:
        return baseline
    less = {leaf.name: leaf.value.shape for leaf in _run_fewer(runner, fewer(given, "batch", samples)) or ()}
    measure = Measure(runner, given, baseline, nan=False)
    masks = {
        leaf.name: mask_along(leaf, axis, Part(0, 1))
        for leaf in given.changing
        if (axis := given.axes(leaf).batch) is not None
    }
    moved = measure.changes(masks, 0) if masks else None
    for leaf in missing:
        shape = leaf.value.shape
        lost = [
            axis
            for axis, (one, other) in enumerate(zip(shape, less.get(leaf.name, shape), strict=False))
            if one != other
        ]
        if len(lost) != 1 or len(less[leaf.name]) != len(shape) or moved is None:
            continue
        axis = lost[0]
        beside = shape[axis] - less[leaf.name][axis]
        if beside < 2 or beside * samples != shape[axis]:
            continue
        places = moved[leaf.name].movedim(axis, 0).flatten(1).any(dim=1).nonzero().flatten().tolist()
        strided = bool(places) and all(place % samples == 0 for place in places)
        folded = Folded(axis, beside, batch_outermost=not strided or all(place < beside for place in places))
        runner.folded[leaf.name] = folded
        batches[leaf.name] = folded.batch
        times[leaf.name] = folded.other if beside == given.layout.steps else None
        order = f"{samples} × {beside}" if folded.batch_outermost else f"{beside} × {samples}"
        given.layout.assumed.append(f"axis {axis} of `{leaf.name}` holds the batch with {beside} others: {order}")
    return Baseline.of(runner.run(), runner.run()) if runner.folded else baseline


def _run_fewer(runner: Runner, changed: Mapping[str, Any] | None) -> list[Leaf] | None:
    if not changed:
        return None
    try:
        return runner.run(changed)
    except Exception:  # noqa: BLE001 - a model may take one size alone; then sizes decide
        return None


def _gradients(runner: Runner) -> Gradients:
    try:
        return read_gradients(runner)
    except Exception as error:  # noqa: BLE001 - what a model raises with gradients is told, and the rest still measured
        return Gradients(silent=f"with gradients the model raises {type(error).__name__}")


def _cause(
    measure: Measure,
    runner: Runner,
    batches: Mapping[str, int | None],
    most: int,
    samples: int,
    numbers: Sequence[str],
) -> str:
    """BatchNorm that takes its statistics from the batch, where the mixing goes when it is taken out."""
    blamed = {
        path: module
        for path, module in runner.named_modules().items()
        if isinstance(module, _BatchNorm) and (module.training or module.running_mean is None)
    }
    if not blamed:
        return ""
    with runner.adjusted([partial(_stand_aside, each) for each in blamed.values()]):
        try:
            plain = Baseline.of(runner.run(), runner.run())
            again = Measure(runner, measure.inputs, plain, nan=False)
            along = again.along("batch", samples, batches, most)
            pairs = [acting_together(runner, again, samples, name) for name in numbers if batches.get(name) is None]
        except Exception:  # noqa: BLE001 - without the layer the model may not run at all; then nothing is blamed
            return ""
    names = listed([f"`{path}` ({type(module).__name__})" for path, module in blamed.items()])
    how = "in training mode" if all(module.training for module in blamed.values()) else "without running statistics"
    if any(each.clean is False for each in along.dependences) or any(pairs):
        return f"something mixes them, and not only {names} {how}: they stay mixed without it"
    remedy = "; in eval mode it does not" if how == "in training mode" and _has_statistics(blamed.values()) else ""
    return f"{names} {how} normalises each sample with the others{remedy}"


def _pattern(runner: Runner, batch: Sequence[Dependence], time: Sequence[Dependence]) -> str:
    """What the pattern tells: samples in another order, or a recurrence that carries from sample to sample."""
    mixed = [each for each in batch if each.clean is False]
    if mixed and all(each.is_reordered for each in mixed):
        return "they come out in another order than they went in"
    alone = {each.output for each in time if len(each.rows) > 1 and each.is_alone}
    layers = [
        f"`{path or type(module).__name__}` (batch_first={module.batch_first})"
        for path, module in runner.named_modules().items()
        if isinstance(module, nn.RNNBase)
    ]
    if not layers or not mixed or not all(each.output in alone for each in mixed):
        return ""
    walks = "walks" if len(layers) == 1 else "walk"
    return f"{listed(layers)} {walks} along them as if they were steps, and no step sees another"


def _has_statistics(modules: Iterable[_BatchNorm]) -> bool:
    return all(module.running_mean is not None for module in modules)


def _stand_aside(module: nn.Module) -> None:
    """Make a layer give back what it is given; the next run begins with it as it was."""
    module.__dict__["forward"] = lambda given, *_: given


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
