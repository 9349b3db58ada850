"""RSG105: a positional ``True`` meant for `batch_first` lands on another parameter."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.layout_mismatch import expected_layout
from rnnshape_guard.checks.layouts import contradicted, misplaced, reasons
from rnnshape_guard.checks.paths import convolved, disagreement
from rnnshape_guard.checks.reading import layout
from rnnshape_guard.checks.roles import role_of
from rnnshape_guard.checks.turns import turned_in_vain
from rnnshape_guard.checks.uses import used_against
from rnnshape_guard.events import Layer, Log, Place, RecurrentBuilt, RecurrentCalled
from rnnshape_guard.findings import Because, Finding
from rnnshape_guard.layers import RecurrentSpec

_ORDER = "input_size, hidden_size, num_layers, bias, batch_first"
_ORDER_OF_RNN = "input_size, hidden_size, num_layers, nonlinearity, bias, batch_first"


def check(event: RecurrentBuilt | RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each construction with a positional ``True`` on `num_layers` or `nonlinearity`, which mean nothing there;
    and each call of a layer with one on `bias` whose input has the batch first."""
    name = misplaced(event)
    if name is None:
        return
    if isinstance(event, RecurrentBuilt):
        if name != "bias":
            yield _finding(event.layer, name, (), frozenset(), event.id)
        return
    if name != "bias" or turned_in_vain(event, log):
        return
    found = contradicted(event)
    if found is not None:
        yield _finding(event.layer, name, reasons(found), found.subject, event.id)
        return
    use = used_against(event, log)
    mixed = disagreement(event, log)
    axes = layout(event)
    subject = frozenset(atom.root for axis in axes or () for atom in axis.atoms)
    if use is not None:
        because = Because(f"{wording.quoted(use.event.place)} takes {use.words} along axis {use.at}", use.event.place)
        yield _finding(event.layer, name, (because,), subject, event.id)
    elif mixed is not None and mixed.turned is None and all(role_of(atom) is None for atom in mixed.found.atoms):
        because = Because(f"{wording.quoted(mixed.earlier.layer)} has the batch first", mixed.earlier.layer.place)
        yield _finding(event.layer, name, (because,), mixed.found.subject, event.id)
    elif (by := convolved(event, log)) is not None and by.found is not None:
        because = Because(f"{wording.quoted(by.convolution.layer)} has the batch first", by.convolution.place)
        yield _finding(event.layer, name, (because,), by.found.subject, event.id)


def _finding(layer: Layer, name: str, because: tuple[Because, ...], subject: frozenset[object], cause: int) -> Finding:
    spec = layer.spec
    assert isinstance(spec, RecurrentSpec)
    place: Place = layer.argument_places.get(name, layer.place)
    silent = name == "bias"
    return Finding(
        code="RSG105",
        message=f"this `True` is `{name}` of nn.{spec.kind}, not `batch_first`"
        + (f": {wording.quoted(layer)} reads its input time first" if silent else ""),
        place=place,
        primary=f"{name}=True",
        expected=expected_layout(True) if silent else "",
        found=expected_layout(False) if silent else "",
        because=(*because, Because(f"the parameters are {_ORDER_OF_RNN if spec.kind == 'RNN' else _ORDER}")),
        help="batch_first=True",
        subject=frozenset({*subject, ("flag", layer.id)}),
        cause=cause,
    )
