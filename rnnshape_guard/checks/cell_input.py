"""RSG801: a cell reads one step of a batch, (batch, features)."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.checks.cells import is_carried, spec_of, stepped_along
from rnnshape_guard.checks.reading import misfits
from rnnshape_guard.events import CellCalled, Log, values_in
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Atom, Role
from rnnshape_guard.shapes.dims import compare
from rnnshape_guard.shapes.outcomes import Fault


def check(call: CellCalled, log: Log) -> Iterator[Finding]:
    """Judge each step given to a cell: its axes, its width, and along which axis it was taken."""
    spec = spec_of(call)
    for wrong in widths.contradictions(call, "input_size", misfits(call, Fault.SIZE, "input", -1)):
        remedy = widths.product(wrong.features)
        help_ = f"nn.{spec.kind}({remedy}, {widths.spelled(spec.hidden_size)})" if remedy else ""
        yield widths.finding("RSG801", wrong, log, help_)
    for misfit in misfits(call, Fault.RANK, "input"):
        yield _whole_sequence(call, wording.size(misfit.found) if misfit.found is not None else "?")
    yield from _along_the_batch(call, log)


def _whole_sequence(call: CellCalled, rank: str) -> Finding:
    given = call.given["input"]
    value = call.value("input")
    kind = spec_of(call).kind
    return Finding(
        code="RSG801",
        message=f"{wording.quoted(call.layer)} takes one step, (batch, features), but {wording.quoted(given)} has {rank} axes",
        place=call.place,
        primary=f"{rank} axes",
        labels=(Label(call.layer.place, "a cell reads one step at a time"),),
        expected="(batch, features)",
        found=wording.shape(value),
        help=f"one step at a time, for x_t in x.unbind(1): ..., or nn.{kind.removesuffix('Cell')} for the whole sequence",
        subject=frozenset({("features", call.layer.id)}),
        cause=call.id,
    )


def _along_the_batch(call: CellCalled, log: Log) -> Iterator[Finding]:
    """Steps taken along the batch: what the cell reads as its batch is the time."""
    lost = stepped_along(call, log)
    value = call.value("input")
    if lost is None or value is None or value.axes is None:
        return
    atom, event = lost
    time = value.axes[0].atom
    roles = (atom.role(), time.role()) if time is not None else None
    if time is None or roles not in ((Role.BATCH, Role.TIME), (Role.BATCH, None), (None, Role.TIME)):
        return
    if None in roles and (not is_carried(call, log) or _has_states_for(atom, call, log)):
        return
    source = event.value("input")
    text = event.given["input"].text
    yield Finding(
        code="RSG801",
        message=f"{wording.quoted(call.layer)} is given one sample with all its steps: this goes along the batch of `{text}`",
        place=event.place,
        primary="along axis 0, the batch",
        labels=(Label(call.place, f"reads {wording.shape(value)} as (batch, features)"),),
        expected="(batch, features)",
        found=wording.shape(value),
        because=(wording.because(atom) or wording.because(time))[:1],
        help=f"for ... in {text}.unbind(1)" if source is not None and text.isidentifier() else "",
        subject=frozenset({atom.root, time.root}),
        cause=event.id,
    )


def _has_states_for(atom: Atom, call: CellCalled, log: Log) -> bool:
    """Whether a cell was ever given a state with a row for each entry of an axis: then it may be that state that is
    wrong."""
    return any(
        state.axes is not None and len(state.axes) == 2 and compare(state.axes[0].size, atom.size).equal
        for other in log.all(CellCalled)
        if other.layer.id == call.layer.id and "hx" in other.given
        for state in values_in(other.seen("hx"))
    )
