"""Widths of features on their way through layers: who brought them, who expects another number, and which line is wrong.

RSG201, 202, 203 and 205, and the widths of RSG801, are one judgement about different layers; what they share is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.reading import entered, recurrent_origin, sized_by
from rnnshape_guard.checks.roles import spot
from rnnshape_guard.events import (
    Called,
    CellCalled,
    Combined,
    Computed,
    Created,
    Event,
    FunctionEntered,
    Layer,
    LayerBuilt,
    LayerCalled,
    Log,
    Operated,
    Place,
    RecurrentCalled,
    Value,
    reads,
)
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import Size
from rnnshape_guard.shapes.axes import Atom, Axis, Role
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Misfit, Packed

MADE = frozenset({Role.HIDDEN, Role.DIRECTION, Role.FEATURE, Role.LAYER})
"""Roles of axes that layers make; an axis of another kind in their place was moved there."""


def features_of(value: Value | None) -> Axis | None:
    """The last axis of a tensor, or of the steps of a packed sequence."""
    if value is None:
        return None
    if isinstance(value.shape, Packed):
        last = value.shape.features[-1] if value.shape.features else None
        return last if isinstance(last, Axis) else None
    return value.shape.axis(-1)


def source(value: Value, log: Log) -> str:
    """What a tensor's features come from: ``output``, ``h_n`` or ``c_n`` of a recurrent layer, ``layer`` if another
    layer has made other features since, ``outside`` if nothing is known."""
    for ancestor, event in log.past(value):
        match event:
            case RecurrentCalled():
                return ancestor.part
            case CellCalled():
                return "layer"
            case LayerCalled():
                before, after = features_of(event.value("input")), features_of(ancestor)
                if before is None or after is None or before.atoms != after.atoms:
                    return "layer"
    return "outside"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A layer that expects `takes` features (its argument `argument`) and is given `features`, the last axis of `value`."""

    call: LayerCalled
    argument: str
    value: Value
    features: Axis
    misfit: Misfit

    @property
    def takes(self) -> str:
        """The number expected, in words."""
        return wording.size(self.misfit.expected) if self.misfit.expected is not None else "?"


def contradictions(call: LayerCalled, argument: str, misfits: list[Misfit]) -> Iterator[Contradiction]:
    """The misfits of a call's features, with what they stand on."""
    value = call.value("input")
    features = features_of(value)
    if value is not None and features is not None:
        for misfit in misfits:
            if misfit.expected is not None and misfit.expected.value == 0:
                continue  # a layer for nothing is built by an option that is off
            yield Contradiction(call, argument, value, features, misfit)


def finding(code: str, wrong: Contradiction, log: Log, remedy: str) -> Finding:
    """The finding: at the call if the layer is right elsewhere, else where the number stands that it was built with."""
    call, misfit = wrong.call, wrong.misfit
    given = call.given["input"]
    brings = wording.sizes_of(wrong.features)
    labels = [Label(given.place, wording.shape(wrong.value))] if given.place is not None else []
    origin = recurrent_origin(wrong.value, log)
    if origin is not None and any(atom.kind in (Role.HIDDEN, Role.DIRECTION) for atom in wrong.features.atoms):
        labels.append(Label(origin[0].layer.place, wording.directions_of(wrong.features) or brings))
    argument = call.layer.argument_places.get(wrong.argument, call.layer.place)
    here = Finding(
        code=code,
        message=f"{wording.quoted(call.layer)} takes {wrong.takes} features, but {wording.quoted(given)} brings {brings}",
        place=argument,
        primary=f"expects {wrong.takes}",
        labels=tuple(labels),
        expected=_shape_with(wrong.value, wrong.takes),
        found=wording.shape(wrong.value),
        help=remedy,
        condition=wording.when(misfit.condition),
        subject=frozenset(_subject(wrong, log)),
        cause=call.id,
    )
    at_call = _right_elsewhere(wrong, log)
    if at_call is not None:
        labels[:1] = [Label(argument, f"expects {wrong.takes}")]
        return replace(here, place=at_call, primary=f"{brings} features", labels=tuple(labels), help="")
    outer = given_number(call, wrong.argument, misfit, maker_of(wrong.value, log), log)
    if outer is not None:
        labels.insert(0, Label(argument, f"expects {wrong.takes}"))
        return replace(here, place=outer, primary=f"this is {wrong.takes}", labels=tuple(labels), help="")
    return here


def _subject(wrong: Contradiction, log: Log) -> Iterator[Hashable]:
    yield ("features", wrong.call.layer.id)
    for event in _brought_by(wrong, log):
        if event.misfits:  # the width is wrong already where it met another
            yield ("operands", event.id)
    for atom in wrong.features.atoms:
        if atom.root.kind not in MADE:
            yield atom.root


def _shape_with(value: Value, width: str) -> str:
    """A shape as found, with the last axis as it should be."""
    return f"{wording.shape(value).removesuffix(')').rpartition(', ')[0] or '(...'}, {width})"


def product(axis: Axis) -> str:
    """An axis's size as one would write it in a constructor: ``2 * hidden``; empty where it is not known."""
    parts = [spelled(atom.size) for atom in axis.atoms if atom.size.value != 1]
    if len(parts) > 1:
        parts = [f"({part})" if " + " in part or " - " in part else part for part in parts]
    return " * ".join(parts) if parts and "..." not in parts else ""


def spelled(size: Size) -> str:
    """A size as a constructor's argument; an ellipsis where it is not known."""
    if not isinstance(size, Dim):
        return "..."
    words = str(size.value) if size.value is not None else wording.size(size).replace("·", " * ")
    return "..." if "?" in words else words


# -- which line is wrong --------------------------------------------------------------------------------------------


def _right_elsewhere(wrong: Contradiction, log: Log) -> Place | None:
    """The place of the call, if what it gives is wrong rather than what the layer was built for: the same construction
    is given the right features elsewhere, or makes layers for other features beside this one."""
    call, expected = wrong.call, wrong.misfit.expected
    built_at = spot(call.layer.place)
    for other in log.all(type(call)):
        if other is call or spot(other.layer.place) != built_at:
            continue
        takes = getattr(other.layer.spec, wrong.argument, None)
        value = other.value("input")
        features = features_of(value)
        if value is None or features is None or not isinstance(takes, Dim) or expected is None:
            continue
        fits = not any(one.operand == "input" for one in other.misfits) and compare(features.size, takes).equal
        if other.layer.id != call.layer.id and other.entry == call.entry:
            if fits and features.atoms == wrong.features.atoms and not compare(takes, expected).equal:
                return call.place
        elif fits and _is_made(value, features, log):
            return _leaving_out(call, other, log) or call.place
        elif other.scope == call.scope and _joined_to(takes, other, log):
            leaving_out = _leaving_out(call, other, log)
            if leaving_out is not None:
                return leaving_out
    return None


def _joined_to(takes: Dim, call: LayerCalled, log: Log) -> bool:
    """Whether more features are joined on the way to a call, in a branch that may not run, and perhaps to the right
    number."""
    for event in reversed(log.events[: call.id]):
        if event.entry != call.entry or isinstance(event, FunctionEntered):
            return False
        if isinstance(event, Combined) and isinstance(event.result, Value) and len(event.path) > len(call.path):
            features = features_of(event.result)
            if features is None or not compare(features.size, takes).conflicts:
                return True
    return False


def _is_made(value: Value, features: Axis, log: Log) -> bool:
    """Whether features were made where one can see it, so that their fitting a layer is no conclusion from the call."""
    if isinstance(sized_by(value, features, log), Created):
        return True
    return all(atom.kind in MADE or _is_sum(atom) for atom in features.atoms)


def _is_sum(atom: Atom) -> bool:
    """Whether an axis got its size from other axes (a `cat`)."""
    size = atom.symbol.value
    return size is not None and any(symbol.owner is not None for symbol in size.symbols())


def _leaving_out(call: Event, right: Event, log: Log) -> Place | None:
    """The call of the function that `call` happened in, if it leaves out a tensor that makes `right` right."""
    ours, theirs = entered(call, log), entered(right, log)
    if ours is None or theirs is None or ours.call is None or ours.scope != theirs.scope:
        return None
    for name, given in ours.given.items():
        other = theirs.given.get(name)
        if given.seen is None and other is not None and other.seen is not None:
            return ours.call
    return None


def given_number(call: LayerCalled, argument: str, misfit: Misfit, maker: Layer | None, log: Log) -> Place | None:
    """Where the number stands that a layer was built with, if its constructor only passes a parameter on: in the call
    that built the object. None where the class contradicts itself whatever it is given: it uses the parameter for the
    layer that `maker` is as well, or for others beside it."""
    layer = call.layer
    place = layer.argument_places.get(argument)
    if place is None or not place.text.isidentifier() or misfit.condition:
        return None
    built = next((event for event in log.all(LayerBuilt) if event.layer.id == layer.id), None)
    function = entered(built, log) if built is not None else None
    if built is None or function is None or function.call is None or not function.scope.endswith("__init__"):
        return None
    beside = [
        event
        for event in log.all(LayerBuilt)
        if event.entry == built.entry and event.scope == built.scope and event.layer.id != layer.id
    ]
    if any(spot(event.layer.place) == spot(layer.place) and entered(event, log) is function for event in beside):
        return None  # one line builds several layers, in a loop, and not all for the same features
    if maker is None or maker.owner == layer.owner:
        others = [event.layer for event in beside if spot(event.layer.place) != spot(layer.place)]
        if any(_names(one, place.text) for other in others for one in other.argument_places.values()):
            return None
    if _has_two_uses(layer, argument, place.text) and (
        (maker is not None and maker.owner == layer.owner) or _fits_another(function, place.text, misfit)
    ):
        return None  # one number for two things: the layer's own line says so, and another parameter was meant
    if maker is not None and _is_handed_on(maker, function, place.text, log):
        return None
    given = function.given.get(place.text)
    return given.place if given is not None else None


def _is_handed_on(maker: Layer, function: FunctionEntered, parameter: str, log: Log) -> bool:
    """Whether a constructor hands one parameter to the class of the layer that made the features as well."""
    built = next((event for event in log.all(LayerBuilt) if event.layer.id == maker.id), None)
    inner = entered(built, log) if built is not None else None
    return (
        inner is not None
        and inner.id > function.id
        and inner.scope.endswith("__init__")
        and any(one.place is not None and _names(one.place, parameter) for one in inner.given.values())
    )


def _has_two_uses(layer: Layer, argument: str, parameter: str) -> bool:
    """Whether a layer is built with one parameter in two places."""
    return any(_names(place, parameter) for name, place in layer.argument_places.items() if name != argument)


def _names(place: Place, parameter: str) -> bool:
    """Whether a parameter stands in an expression."""
    return re.search(rf"(?<![\w.]){parameter}\b", place.text) is not None


def _fits_another(function: FunctionEntered, parameter: str, misfit: Misfit) -> bool:
    """Whether a constructor was given the number that is needed under another parameter's name."""
    found = misfit.found
    return found is not None and any(
        isinstance(given.seen, Dim) and compare(given.seen, found).equal
        for name, given in function.given.items()
        if name != parameter
    )


def maker_of(value: Value, log: Log) -> Layer | None:
    """The layer that made the features a tensor has, else the nearest that it went through."""
    features = features_of(value)
    through = [(made, event.layer) for made, event in log.past(value) if isinstance(event, LayerCalled)]
    for made, layer in reversed(through):
        brought = features_of(made)
        if features is not None and brought is not None and brought.atoms == features.atoms:
            return layer
    return through[0][1] if through else None


def on_recurrent_path(call: Called, log: Log) -> bool:
    """Whether a recurrent layer or cell stands before or behind a layer or an operation."""
    return _is_near(call, log, lambda event: isinstance(event, RecurrentCalled | CellCalled))


def in_written_cell(call: Operated, log: Log) -> bool:
    """Whether an operation is part of a recurrent cell that is written out by hand: a gate stands before or behind it."""
    return is_gate(call, log) or _is_near(call, log, lambda event: is_gate(event, log))


def _is_near(call: Called, log: Log, is_sought: Callable[[Event], bool]) -> bool:
    """Whether something stands before or behind a layer or an operation."""
    if any(_leads_back(value, log, is_sought) for value in reads(call)):
        return True
    results = [
        one for one in (call.result if isinstance(call.result, tuple) else (call.result,)) if isinstance(one, Value)
    ]
    return any(is_sought(event) for one in results for event in log.future(one))


def _leads_back(value: Value, log: Log, is_sought: Callable[[Event], bool], most: int = 60) -> bool:
    pending, seen = [value], {value.id}
    while pending and len(seen) < most:
        event = log.maker(pending.pop())
        if event is None:
            continue
        if is_sought(event):
            return True
        for one in reads(event):
            if one.id not in seen:
                seen.add(one.id)
                pending.append(one)
    return False


def is_gate(event: Event, log: Log) -> bool:
    """Whether a product is what the cells of LSTMs and GRUs are made of: a sigmoid lets so much of a tanh through."""
    if not isinstance(event, Computed) or event.name not in ("*", "mul"):
        return False
    makers = [log.maker(value) for value in reads(event)]
    return {maker.name for maker in makers if isinstance(maker, Computed)} == {"sigmoid", "tanh"}


def _brought_by(wrong: Contradiction, log: Log, most: int = 60) -> Iterator[Event]:
    """The events through which a width came, one element at a time."""
    pending, seen = [wrong.value], {wrong.value.id}
    while pending and len(seen) < most:
        event = log.maker(pending.pop())
        if not isinstance(event, Computed):
            continue
        yield event
        for one in reads(event):
            features = features_of(one)
            if one.id not in seen and features is not None and features.atoms == wrong.features.atoms:
                seen.add(one.id)
                pending.append(one)
