"""Arguments that stand in another order than the parameters they are named for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from rnnshape_guard.checks.reading import entered
from rnnshape_guard.events import Layer, LayerBuilt, Log, Place

_NAME: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Crossed:
    """Two arguments, each named for the parameter that the other one is given for. `place` is the first of them."""

    place: Place
    argument: str
    parameter: str

    @property
    def fact(self) -> str:
        """The mistake in a few words."""
        return f"`{self.argument}` is given for `{self.parameter}`"


def crossed(layer: Layer, log: Log) -> Crossed | None:
    """Two crossed arguments of the call that built the object which built a layer."""
    built = next((event for event in log.all(LayerBuilt) if event.layer.id == layer.id), None)
    function = entered(built, log) if built is not None else None
    if function is None or function.call is None or not function.scope.endswith("__init__"):
        return None
    named = [
        (parameter, match[1], given.place)
        for parameter, given in function.given.items()
        if given.place is not None and (match := _NAME.fullmatch(given.place.text)) is not None
    ]
    for (one, first, place), (other, second, _) in combinations(named, 2):
        if _is(first, other) and _is(second, one) and not _is(first, one) and not _is(second, other):
            return Crossed(place, place.text, one)
    return None


def _is(argument: str, parameter: str) -> bool:
    """Whether all words of one name stand in the other: `hidden` and `hidden_size`."""
    ours, theirs = (set(name.lower().strip("_").split("_")) for name in (argument, parameter))
    return ours <= theirs or theirs <= ours
