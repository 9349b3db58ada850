"""Which axis of the outputs follows the batch, and which the time: found by running the model on one place less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnshape_guard.runtime.probing.axes import AxisChoice, lay_outputs
from rnnshape_guard.runtime.probing.company import fewer
from rnnshape_guard.runtime.probing.leaves import Leaf
from rnnshape_guard.runtime.probing.measuring import Baseline, Measure
from rnnshape_guard.runtime.probing.perturbing import Inputs, Part, mask_along
from rnnshape_guard.runtime.probing.running import Folded, Runner
from rnnshape_guard.shapes.axes import Role


def find_axes(
    runner: Runner,
    given: Inputs,
    baseline: Baseline,
    choices: tuple[AxisChoice, AxisChoice],
    annotations: Mapping[str, Any],
) -> tuple[dict[str, int | None], dict[str, int | None]]:
    """The batch and the time axis of every output: as told, as annotated, or as a run with one place less shows."""
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


def unfold(
    runner: Runner, given: Inputs, baseline: Baseline, batches: dict[str, int | None], times: dict[str, int | None]
) -> Baseline:
    """Cut in two the axes that hold samples and steps together, as `view(-1, classes)` makes them for a loss.

    The axes found are written into `batches` and `times`, and the outputs of the baseline given back are those cut.
    """
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
