"""RSG703: a layer that wants its channels second is given (batch, time, feature)."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import stated_batch
from rnnshape_guard.checks.reading import misfits, recurrent_origin
from rnnshape_guard.checks.widths import on_recurrent_path
from rnnshape_guard.events import Given, LayerCalled, Log, Reordered, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers.convolution import ConvSpec
from rnnshape_guard.layers.normalization import ChannelNormSpec
from rnnshape_guard.layers.pooling import AdaptivePoolSpec, PoolSpec
from rnnshape_guard.shapes.axes import Axis, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Condition, Dim, compare, resolve
from rnnshape_guard.shapes.outcomes import Fault
from rnnshape_guard.shapes.vocabulary import role_of

_ARGUMENT = {"Conv1d": "in_channels", "ConvTranspose1d": "in_channels", "BatchNorm1d": "num_features"}


_WIDTHS = (Role.FEATURE, Role.CHANNEL, Role.HIDDEN)


def check(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge each layer that slides over, or normalises, (batch, channels, time)."""
    value = call.value("input")
    axes = value.axes if value is not None else None
    if value is None or axes is None or len(axes) != 3:
        return
    if _slides_over_batch(call, axes, log):
        yield _over_batch(call, value, log)
        return
    match call.layer.spec:
        case ConvSpec(kind="Conv1d" | "ConvTranspose1d", in_channels=Dim() as wanted):
            condition = _channels_last(call, axes, wanted)
        case ChannelNormSpec(kind="BatchNorm1d", num_features=Dim() as wanted):
            condition = _channels_last(call, axes, wanted)
        case PoolSpec(kind=kind) | AdaptivePoolSpec(kind=kind) if kind.endswith("Pool1d"):
            condition = () if not call.path and _pools_features(value, axes, log) else None
            wanted = axes[2].size
        case _:
            return
    if condition is not None:
        yield _finding(call, value, wanted, condition)


def _slides_over_batch(call: LayerCalled, axes: tuple[Axis, ...], log: Log) -> bool:
    """Whether a layer that slides over the last axis finds the batch of a recurrent layer there."""
    kind = getattr(call.layer.spec, "kind", "")
    slides = isinstance(call.layer.spec, ConvSpec | PoolSpec | AdaptivePoolSpec) and kind.endswith("1d")
    last = axes[2].atom
    return slides and not call.path and last is not None and stated_batch(last) and on_recurrent_path(call, log)


def _over_batch(call: LayerCalled, value: Value, log: Log) -> Finding:
    given = call.given["input"]
    batch = (value.axes or ())[2].atoms[0]
    turned = log.maker(value)
    place = turned.place if isinstance(turned, Reordered) else given.place
    return Finding(
        code="RSG703",
        message=f"{wording.quoted(call.layer)} slides over the last axis of {wording.quoted(given)}, which is the batch",
        place=call.place,
        primary="axis 2 is the batch",
        labels=() if place is None else (Label(place, wording.shape(value)),),
        expected="(batch, channel, time)",
        found=wording.shape(value),
        because=wording.because(batch, Strength.LAYER),
        help=_turned_well(turned, value) if isinstance(turned, Reordered) else "",
        subject=frozenset({batch.root}),
        cause=call.id,
    )


def _turned_well(turned: Reordered, value: Value) -> str:
    """The permute that would have put the batch first and what is first now last."""
    given, before = turned.given.get("input"), turned.value("input")
    rows = [axis.atoms for axis in before.axes or ()] if before is not None else []
    wanted = [axis.atoms for axis in (value.axes or ())[::-1]]
    if given is None or not given.text.isidentifier() or len(rows) != 3 or any(one not in rows for one in wanted):
        return ""
    return f"{given.text}.permute({', '.join(str(rows.index(one)) for one in wanted)})"


def _channels_last(call: LayerCalled, axes: tuple[Axis, ...], wanted: Dim) -> Condition | None:
    """Under which flags the last axis is the one wanted, and axis 1 is not."""
    certain = not call.path  # in a branch it may be one of several layers that bear the name
    if certain and _counts_width(wanted) and _is_time(axes[1]) and _is_width(axes[2]) and not _is_literal(axes[1]):
        return ()
    if certain and _is_the_width_itself(axes, wanted):
        return ()
    known = not any(atom.symbol.learned for atom in axes[1].atoms)
    if (known and compare(axes[1].size, wanted).equal) or not compare(axes[2].size, wanted).equal:
        return None
    for misfit in misfits(call, Fault.SIZE, "input", 1):
        return misfit.condition
    return () if certain and _is_time(axes[1]) else None


def _pools_features(value: Value, axes: tuple[Axis, ...], log: Log) -> bool:
    """Whether a pool slides over the hidden units of an RNN's output, step by step."""
    last = axes[2].atoms
    made = bool(last) and all(atom.kind in (Role.HIDDEN, Role.DIRECTION) for atom in last)
    origin = recurrent_origin(value, log)
    return made and _is_time(axes[1]) and origin is not None and origin[1] == "output"


def _is_literal(axis: Axis) -> bool:
    return resolve(axis.size, numbers=False).literal is not None


def _is_width(axis: Axis) -> bool:
    return any(atom.size.value != 1 and atom.role() in _WIDTHS for atom in axis.atoms)


def _is_the_width_itself(axes: tuple[Axis, ...], wanted: Dim) -> bool:
    """Whether the last axis is what a layer before made under the very name that is wanted as channels, and of axis 1
    nothing is known but this wish."""
    width, channels = resolve(axes[2].size, numbers=False).symbol, resolve(wanted, numbers=False).symbol
    made = axes[2].atom is not None and axes[2].atom.kind in _WIDTHS
    wished = axes[1].atom
    return (
        made
        and width is not None
        and width is channels
        and wished is not None
        and wished.symbol.learned
        and all(one.role in (Role.CHANNEL, Role.TIME) for one in wished.evidence)
    )


def _counts_width(wanted: Dim) -> bool:
    """Whether a number of channels has a name, and not one for steps: a normalisation of each step may be meant."""
    symbol = resolve(wanted, numbers=False).symbol
    return symbol is not None and symbol.owner is None and role_of(symbol.name) is not Role.TIME


def _is_time(axis: Axis) -> bool:
    """Whether an axis is the time by the strongest evidence that is not a layer's wish for channels there."""
    evidence = [one for one in (axis.atom.evidence if axis.atom is not None else ()) if one.role is not Role.CHANNEL]
    strongest = min((one.strength for one in evidence), default=None)
    roles = {one.role for one in evidence if one.strength == strongest}
    return roles == {Role.TIME} and axis.size.value != 1


def _finding(call: LayerCalled, value: Value, wanted: Dim, condition: Condition) -> Finding:
    given = call.given["input"]
    kind = getattr(call.layer.spec, "kind", "")
    place = call.layer.argument_places.get(_ARGUMENT.get(kind, ""), call.layer.place)
    moved = f"{given.text or 'x'}.transpose(1, 2)"
    return Finding(
        code="RSG703",
        message=_message(call, given, value),
        place=call.place,
        primary=_primary((value.axes or ())[1]),
        labels=(Label(place, f"{wording.size(wanted)} channels" if place is not call.layer.place else f"nn.{kind}"),),
        expected=f"(batch, {wording.size(wanted)}, time)",
        found=wording.shape(_unlearned(value)),
        help=f"{call.layer.name}({moved}).transpose(1, 2)" if _is_object(call) else moved,
        condition=wording.when(condition),
        subject=frozenset({("features", call.layer.id)}),
        cause=call.id,
    )


def _unlearned(value: Value) -> Shape:
    """A tensor without the size that the layer itself would need its axis 1 to have."""
    axes = value.axes or ()
    return Shape(tuple(Axis.new("time", kind=Role.TIME) if _is_learned(axis) else axis for axis in axes))


def _is_learned(axis: Axis) -> bool:
    return any(atom.symbol.learned for atom in axis.atoms) and _is_time(axis)


def _message(call: LayerCalled, given: Given, value: Value) -> str:
    layer, name = wording.quoted(call.layer), wording.quoted(given)
    if isinstance(call.layer.spec, PoolSpec | AdaptivePoolSpec):
        return f"{layer} slides over the last axis of {name}, which is {wording.axis_name((value.axes or ())[2])}, not time"
    return f"{layer} takes its channels from axis 1, but {name} has them last"


def _primary(axis: Axis) -> str:
    return "axis 1 is the time" if _is_time(axis) else f"axis 1 has {wording.sizes_of(axis)}"


def _is_object(call: LayerCalled) -> bool:
    """Whether a layer was called by its name, not as a function or inside a Sequential."""
    return bool(call.layer.name) and call.place.text.startswith(f"{call.layer.name}(")
