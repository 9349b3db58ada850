"""Which axis of each input and output is the batch and which the time: as told, else as annotated, else as assumed.

What was assumed is said in words, for the result to repeat. The custom is PyTorch's data loaders': batch first. A
recurrent layer's own `batch_first` decides nothing here, because it is what a probe puts to the test.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from rnnshape_guard.runtime.probing.leaves import Leaf
from rnnshape_guard.shapes.annotations import NotationError, parse_axes
from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.vocabulary import role_of_all

Infer = Literal["infer"]
AxisChoice = int | Mapping[str, int | None] | None | Infer
"""An axis: a number for all tensors, one for each name, None where there is none, "infer" to find out."""

STATE_NAMES: Final = frozenset(
    "h c hx cx h0 c0 h_0 c_0 h_n c_n hidden cell state states hidden_state cell_state init_state initial_state".split()
)


@dataclass(frozen=True, slots=True)
class Axes:
    """The batch and the time axis of one tensor, None where it has none."""

    batch: int | None = None
    time: int | None = None


@dataclass(slots=True)
class Layout:
    """The axes of every input tensor by its name, the sizes they agree on, and what was assumed in words."""

    axes: dict[str, Axes]
    samples: int | None
    steps: int | None
    assumed: list[str] = field(default_factory=list)


def lay_inputs(
    inputs: Sequence[Leaf], batch: AxisChoice, time: AxisChoice, annotations: Mapping[str, Sequence[Role | None]]
) -> Layout:
    """Find the batch and the time axis of every input.

    Raises ValueError for an axis that a tensor does not have, and for tensors told to have batches of different sizes.
    """
    layout = Layout({leaf.name: Axes() for leaf in inputs}, None, None)
    first = next((leaf for leaf in inputs if leaf.value.dim() > 0), None)
    if first is None:
        return layout
    _refuse_unknown(batch, inputs, "batch")
    _refuse_unknown(time, inputs, "time")
    batches = _lay_batch(inputs, batch, annotations, layout, custom=1 if time == 0 else 0)
    times = _lay_time(inputs, time, batches, annotations, layout)
    layout.axes = {leaf.name: Axes(batches[leaf.name], times[leaf.name]) for leaf in inputs}
    return layout


def _lay_batch(
    inputs: Sequence[Leaf],
    choice: AxisChoice,
    annotations: Mapping[str, Sequence[Role | None]],
    layout: Layout,
    custom: int,
) -> dict[str, int | None]:
    found: dict[str, int | None] = dict.fromkeys((leaf.name for leaf in inputs), None)
    if choice is None:
        return found
    unsettled: list[Leaf] = []
    for leaf in inputs:
        settled, axis = _stated(leaf, choice, annotations, Role.BATCH)
        if not settled:
            unsettled.append(leaf)
            continue
        if axis is not None:
            found[leaf.name], layout.samples = _agreed(leaf, axis, layout.samples, "batch", isinstance(choice, Mapping))
    axis = choice if isinstance(choice, int) else custom
    unsettled.sort(key=lambda leaf: (_is_state(leaf), not -leaf.value.dim() <= axis < leaf.value.dim()))
    # A name told apart tells of that tensor alone; the others follow its size.
    for leaf in unsettled:
        if layout.samples is None and leaf.value.dim():
            found[leaf.name] = _axis_of(leaf, axis, "batch")
            layout.samples = leaf.value.shape[axis]
            if not isinstance(choice, int):
                why = "as a DataLoader makes it (say batch=… if not)" if axis == 0 else "beside the time"
                layout.assumed.append(f"axis {axis} of `{leaf.name}` is the batch, {why}")
        elif layout.samples is not None:
            found[leaf.name] = _by_size(leaf, axis, layout)
    return found


def _by_size(leaf: Leaf, axis: int, layout: Layout) -> int | None:
    shape = leaf.value.shape
    axis = axis % len(shape) if shape and -len(shape) <= axis < len(shape) else -1
    if _is_state(leaf) and len(shape) == 3 and shape[1] == layout.samples:
        if shape[0] == layout.samples:
            layout.assumed.append(f"axis 1 of `{leaf.name}` is the batch, as in a recurrent layer's state")
        return 1
    if axis >= 0 and shape[axis] == layout.samples:
        return axis
    fitting = [number for number, size in enumerate(shape) if size == layout.samples]
    if len(fitting) != 1:
        return None
    layout.assumed.append(f"axis {fitting[0]} of `{leaf.name}` is the batch, by its size {layout.samples}")
    return fitting[0]


def _lay_time(
    inputs: Sequence[Leaf],
    choice: AxisChoice,
    batches: Mapping[str, int | None],
    annotations: Mapping[str, Sequence[Role | None]],
    layout: Layout,
) -> dict[str, int | None]:
    found: dict[str, int | None] = dict.fromkeys((leaf.name for leaf in inputs), None)
    if choice is None:
        return found
    unsettled: list[Leaf] = []
    for leaf in inputs:
        settled, axis = _stated(leaf, choice, annotations, Role.TIME)
        if not settled:
            unsettled.append(leaf)
            continue
        if axis is not None:
            found[leaf.name], layout.steps = _agreed(leaf, axis, layout.steps, "time", isinstance(choice, Mapping))
    for leaf in sorted(unsettled, key=lambda leaf: not _is_sequence(leaf)):
        shape = leaf.value.shape
        if _is_state(leaf) or len(shape) < 2:
            if isinstance(choice, int) and layout.steps is None and len(shape) == 1 and batches[leaf.name] is None:
                found[leaf.name], layout.steps = _axis_of(leaf, choice, "time"), shape[choice]
            continue
        batch = batches[leaf.name]
        if isinstance(choice, int):
            if layout.steps is None:
                found[leaf.name] = _axis_of(leaf, choice, "time")
                layout.steps = shape[choice]
            elif -len(shape) <= choice < len(shape) and shape[choice] == layout.steps and choice % len(shape) != batch:
                found[leaf.name] = choice % len(shape)
            if found[leaf.name] is not None and found[leaf.name] == batch:
                raise ValueError(f"axis {choice} of `{leaf.name}` is said to be the batch and the time")
            continue
        custom = {None: 0, 0: 1, 1: 0}.get(batch)
        if custom is None or shape[custom] < 2:
            continue
        # Two axes of fractions may be (batch, feature) as well as (batch, time); two of whole numbers are tokens.
        if len(shape) == 2 and leaf.value.is_floating_point() and batch is not None and layout.steps != shape[custom]:
            continue
        if layout.steps is None:
            layout.steps = shape[custom]
            layout.assumed.append(f"axis {custom} of `{leaf.name}` is the time, beside the batch (say time=… if not)")
        if layout.steps == shape[custom]:
            found[leaf.name] = custom
    return found


def _stated(
    leaf: Leaf, choice: AxisChoice, annotations: Mapping[str, Sequence[Role | None]], role: Role
) -> tuple[bool, int | None]:
    """Whether it is told or annotated which axis of this tensor has a role, and which: a packed sequence knows."""
    if leaf.packing is not None:
        return True, 0 if role is Role.BATCH else 1
    if isinstance(choice, Mapping):
        name = _naming(leaf.name, choice)
        if name is not None:
            axis = choice[name]
            return True, None if axis is None else _axis_of(leaf, axis, role.value)
    roles = annotations.get(leaf.name, ())
    if not isinstance(choice, int) and role in roles and len(roles) == leaf.value.dim():
        return True, list(roles).index(role)
    return False, None


def _naming(name: str, choice: Mapping[str, int | None]) -> str | None:
    """The name told that stands for a tensor: its own, or that of the nest it lies in."""
    for told in sorted(choice, key=len, reverse=True):
        if name == told or (name.startswith(told) and name[len(told)] in ".["):
            return told
    return None


def _refuse_unknown(choice: AxisChoice, inputs: Sequence[Leaf], word: str) -> None:
    if not isinstance(choice, Mapping):
        return
    names = [leaf.name for leaf in inputs]
    for told in choice:
        if all(_naming(name, {told: None}) is None for name in names):
            raise ValueError(
                f"{word} names `{told}`, and the tensors here are {', '.join(f'`{name}`' for name in names)}"
            )


def _axis_of(leaf: Leaf, axis: int, word: str) -> int:
    rank = leaf.value.dim()
    if not -rank <= axis < rank:
        axes = "1 axis" if rank == 1 else f"{rank} axes"
        raise ValueError(f"`{leaf.name}` has {axes}, so its {word} cannot be axis {axis}")
    return axis % rank


def _agreed(leaf: Leaf, axis: int, size: int | None, word: str, is_told: bool) -> tuple[int | None, int]:
    """The axis of one more tensor and the size that all agree on; no axis where an annotation means another size."""
    found: int = leaf.value.shape[axis]
    if size is None or found == size:
        return axis, found
    if is_told:
        raise ValueError(f"the {word} has size {size} elsewhere, and axis {axis} of `{leaf.name}` has size {found}")
    return None, size


def _is_sequence(leaf: Leaf) -> bool:
    """Whether a tensor looks like one of steps: (batch, time, feature), or tokens (batch, time)."""
    return leaf.value.dim() > (2 if leaf.value.is_floating_point() else 1)


def _is_state(leaf: Leaf) -> bool:
    """Whether a tensor is named like the state of a recurrent layer; such a one has no time axis."""
    name = leaf.name.partition("[")[0].rpartition(".")[2]
    return name.lower() in STATE_NAMES


def lay_outputs(
    before: Sequence[Leaf],
    choice: AxisChoice,
    role: Role,
    size: int | None,
    custom: int | None,
    fewer: Sequence[Leaf] | None,
    annotated: Mapping[str, Sequence[Role | None]],
    assumed: list[str],
) -> dict[str, int | None]:
    """Find the batch or the time axis of every output.

    `size` is what the axis measures in the inputs and `custom` where it stands in the first of them. `fewer` are the
    outputs of a run with one sample or step less: the axis that shrank with it is the one.
    """
    found: dict[str, int | None] = dict.fromkeys((leaf.name for leaf in before), None)
    if choice is None or size is None:
        return found
    _refuse_unknown(choice, before, f"{role.value}_out")
    for place, leaf in enumerate(before):
        settled, axis = _stated(leaf, choice, annotated, role)
        if isinstance(choice, int) and not settled:
            settled, axis = True, _axis_of(leaf, choice, role.value) if leaf.value.dim() else None
        if settled:
            found[leaf.name] = axis
            continue
        less = fewer[place] if fewer is not None and place < len(fewer) else None
        if less is not None and less.name == leaf.name and less.value.dim() == leaf.value.dim():
            found[leaf.name] = _shrunk(leaf, less, size)
            continue
        fitting = [number for number, length in enumerate(leaf.value.shape) if length == size]
        if not fitting:
            continue
        axis = custom if custom in fitting else fitting[0]
        found[leaf.name] = axis
        if len(fitting) > 1 or size != leaf.value.shape[axis]:
            assumed.append(f"axis {axis} of `{leaf.name}` is the {role.value}: more than one has size {size}")
        else:
            assumed.append(f"axis {axis} of `{leaf.name}` is the {role.value}, by its size {size}")
    return found


def _shrunk(leaf: Leaf, less: Leaf, size: int) -> int | None:
    """The axis that lost one place; where several did, the one that is as long as the inputs'."""
    sizes = list(zip(leaf.value.shape, less.value.shape, strict=True))
    lost = [number for number, (one, other) in enumerate(sizes) if one - other == 1]
    fitting = [number for number in lost if sizes[number][0] == size]
    chosen = fitting or lost
    return chosen[0] if len(chosen) == 1 else None


def annotated_roles(annotation: object) -> tuple[Role | None, ...]:
    """The roles of the axes that a jaxtyping annotation names; empty for any other annotation."""
    text = getattr(annotation, "dim_str", None)
    if not isinstance(text, str):
        return ()
    try:
        specs = parse_axes(text)
    except NotationError:
        return ()
    if any(spec.is_variadic for spec in specs):
        return ()
    return role_of_all([spec.text for spec in specs])


def annotations_of(signature: inspect.Signature | None) -> dict[str, tuple[Role | None, ...]]:
    """The roles that a signature's annotations give to its arguments, and to its result as `output`."""
    if signature is None:
        return {}
    found: dict[str, Any] = {name: annotated_roles(each.annotation) for name, each in signature.parameters.items()}
    found["output"] = annotated_roles(signature.return_annotation)
    return {name: roles for name, roles in found.items() if roles}
