"""Which sizes of a call's arguments the model's layers demand: the features that an RNN, a cell or a Linear takes.

They were seen when a structure was traced. A later call with others takes the long way, so that our words come before
torch's crash.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from rnnshape_guard.events import FunctionEntered, LayerCalled, Log, Seen, Value
from rnnshape_guard.shapes.axes import Atom, Axis
from rnnshape_guard.shapes.dims import Dim

Demands = Mapping[tuple[str, int], int]
"""The size that is demanded, by the argument (``hx[0]``) and its axis."""

_SIZES = {"Linear": "in_features"} | dict.fromkeys(
    ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"), "input_size"
)


def demands_of(log: Log, parameters: Sequence[str]) -> Demands:
    """What the layers that were called demand of the arguments of the function that was traced."""
    reaches = _arguments(log, parameters)
    found = {}
    for event in log.all(LayerCalled):
        for axis, size in _wanted(event):
            if axis.atom in reaches and isinstance(size, Dim) and size.value is not None:
                found[reaches[axis.atom]] = size.value
    return found


def _arguments(log: Log, parameters: Sequence[str]) -> dict[Atom | None, tuple[str, int]]:
    """Where each axis of the arguments is reached. A layer's own forward is not entered, it is called."""
    entered = next((event for event in log.events if isinstance(event, FunctionEntered | LayerCalled)), None)
    if entered is None or not set(entered.given) <= set(parameters):
        return {}
    reaches: dict[Atom | None, tuple[str, int]] = {}
    for name, given in entered.given.items():
        for reach, value in _values(given.seen, name):
            for place, axis in enumerate(value.axes or ()):
                if axis.atom is not None:
                    reaches.setdefault(axis.atom, (reach, place))
    return reaches


def _wanted(event: LayerCalled) -> Iterator[tuple[Axis, object]]:
    """The axes of a layer's input and initial states whose sizes the layer has."""
    spec: Any = event.layer.spec
    given = event.value("input")
    if given is not None and given.axes and spec.kind in _SIZES:
        yield given.axes[-1], getattr(spec, _SIZES[spec.kind])
    state = event.given.get("hx")
    if state is None or not hasattr(spec, "hidden_size"):
        return
    widths = [getattr(spec, "output_size", spec.hidden_size), spec.hidden_size]
    for width, (_, value) in zip(widths, _values(state.seen, "hx"), strict=False):
        if value.axes:
            yield value.axes[-1], width
        if value.axes and hasattr(spec, "states"):
            yield value.axes[0], spec.states


def _values(seen: Seen, reach: str) -> Iterator[tuple[str, Value]]:
    if isinstance(seen, Value):
        yield reach, seen
    elif isinstance(seen, tuple):
        for at, part in enumerate(seen):
            yield from _values(part, f"{reach}[{at}]")


def reached(values: Mapping[str, Any], reach: str, axis: int) -> int | None:
    """The size of an argument's axis; None where there is none."""
    name, *rest = reach.split("[")
    value = values.get(name)
    try:
        for part in rest:
            value = value[ast.literal_eval(part[:-1])]  # type: ignore[index]
        return value.shape[axis] if isinstance(value, torch.Tensor) else None
    except (LookupError, TypeError):
        return None
