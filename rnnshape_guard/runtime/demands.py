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
from rnnshape_guard.shapes.axes import Atom
from rnnshape_guard.shapes.dims import Dim

Demands = Mapping[tuple[str, int], int]
"""The size that is demanded, by the argument (``hx[0]``) and its axis."""

_SIZES = {"RNN": "input_size", "LSTM": "input_size", "GRU": "input_size", "Linear": "in_features"} | {
    cell: "input_size" for cell in ("RNNCell", "LSTMCell", "GRUCell")
}


def demands_of(log: Log, parameters: Sequence[str]) -> Demands:
    """What the layers that were called demand of the arguments of the function that was traced."""
    entered = next(log.all(FunctionEntered), None)
    if entered is None or not set(entered.given) <= set(parameters):
        return {}
    reaches: dict[Atom, tuple[str, int]] = {}
    for name, given in entered.given.items():
        for reach, value in _values(given.seen, name):
            for place, axis in enumerate(value.axes or ()):
                if axis.atom is not None:
                    reaches.setdefault(axis.atom, (reach, place))
    found = {}
    for event in log.all(LayerCalled):
        given_input = event.value("input")
        attribute = _SIZES.get(event.layer.spec.kind)  # type: ignore[attr-defined]
        if given_input is None or attribute is None or not given_input.axes:
            continue
        atom = given_input.axes[-1].atom
        size = getattr(event.layer.spec, attribute)
        if atom in reaches and isinstance(size, Dim) and size.value is not None:
            found[reaches[atom]] = size.value
    return found


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
