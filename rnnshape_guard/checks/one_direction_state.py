"""RSG403: a bidirectional RNN's final state is read for one direction, or its layers and directions are confused."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.picking import (
    StateRead,
    both_directions,
    is_settled,
    is_used,
    other_state_reads,
    output_reads,
    state_read,
)
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.events import Log, Selected
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.dims import Condition, Dim, compare, same_size
from rnnshape_guard.shapes.outcomes import Slice


def check(event: Selected, log: Log) -> Iterator[Finding]:
    """Judge each selection along the layers and directions of a final state."""
    read = state_read(event, log)
    if read is None or not is_used(event, log):
        return
    condition = both_directions(read.call)
    if condition is None or not is_settled(event, condition) or other_state_reads(read, log):
        return
    if _first_layers(read):
        yield _finding(read, condition, "takes both directions of the lower layers, not one direction of each layer")
    elif (half := _half(read)) is not None and not output_reads(read.call, log):
        yield _finding(read, condition, f"is the {half} direction alone")


def _first_layers(read: StateRead) -> bool:
    """``h_n[:layers]``: as many as there are layers, from the front."""
    layers = spec_of(read.call).num_layers
    match read.pick.item:
        case Slice(start=None | Dim(literal=0), stop=Dim() as stop, step=None) if isinstance(layers, Dim):
            return same_size(stop, layers) or compare(stop, layers).equal
    return False


def _half(read: StateRead) -> str | None:
    layers = spec_of(read.call).num_layers
    one = isinstance(layers, Dim) and layers.value == 1
    match read.pick.number:
        case -1:
            return "reverse"
        case 1 if one:
            return "reverse"
        case 0 if one:
            return "forward"
    return None


def _finding(read: StateRead, condition: Condition, fact: str) -> Finding:
    event = read.event
    state = event.given["input"].text or "h_n"
    spec = spec_of(read.call)
    if isinstance(read.pick.item, Slice) and read.pick.number is None:
        remedy = f"{state}[0::2] + {state}[1::2], or a view to (layers, 2, batch, hidden)"
    else:
        remedy = (
            f"torch.cat(({state}[-2], {state}[-1]), dim=1), {wording.size(spec.hidden_size)} features twice"
            if isinstance(spec.hidden_size, Dim)
            else f"torch.cat(({state}[-2], {state}[-1]), dim=1)"
        )
    return Finding(
        code="RSG403",
        message=f"{wording.quoted(event.place)} {fact}",
        place=event.place,
        primary=f"of {wording.shape(read.value)}",
        labels=(Label(read.call.layer.place, "2 directions"),),
        expected="forward and reverse, layer by layer: 0 forward, 0 reverse, 1 forward, ...",
        found=wording.shape(event.result if not isinstance(event.result, tuple) else None),  # type: ignore[arg-type]
        help=remedy,
        condition=wording.when(condition),
        subject=frozenset({("state", read.call.id)}),
        cause=event.id,
    )
