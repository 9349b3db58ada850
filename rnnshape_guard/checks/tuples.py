"""Where a recurrent layer's results, which are tuples, are taken for tensors."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.events import Called, Combined, Created, Event, Given, Log, PackCalled, RecurrentCalled, Seen, Value
from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Fault, Misfit


def refused(event: Called) -> Iterator[tuple[Given, tuple[Seen, ...]]]:
    """The tuples among the operands that a call refuses, innermost included."""
    faults = {misfit.operand.partition("[")[0] for misfit in event.misfits if is_refusal(misfit)}
    if not faults:
        return
    named = {name: given for name, given in event.given.items() if name in faults}
    state = event.given.get("hx") if faults & {"h_0", "c_0", "hx"} else None
    for given in named.values() or ([state] if state is not None else event.given.values()):
        for each in _tuples(given.seen):
            yield given, each


def is_refusal(misfit: Misfit) -> bool:
    """Whether something is refused because it is no tensor (and not because it is one)."""
    return misfit.fault is Fault.TYPE and not misfit.detail.startswith("a tensor")


def _tuples(seen: Seen) -> Iterator[tuple[Seen, ...]]:
    if isinstance(seen, tuple):
        yield seen
        match seen:
            case (Value(part="output"), _):
                return
        for part in seen:
            yield from _tuples(part)


def state_pair(pair: tuple[Seen, ...], log: Log) -> RecurrentCalled | None:
    """The LSTM call whose (h_n, c_n) a tuple is."""
    match pair:
        case (Value(part="h_n") as h_n, Value(part="c_n") as c_n) if h_n.made_by == c_n.made_by:
            return _call(log.maker(h_n))
    return None


def made_pair(pair: tuple[Seen, ...], log: Log) -> bool:
    """Whether a tuple is an initial state that a program has made for an LSTM: two tensors of the same three sizes, the
    layers first."""
    match pair:
        case (Value(axes=(layers, _, _) as ours) as one, Value(axes=(_, _, _) as theirs) as other):
            is_alike = all(compare(left.size, right.size).equal for left, right in zip(ours, theirs, strict=True))
            are_made = all(isinstance(log.maker(state), Created) for state in (one, other))
            return is_alike and layers.role() is Role.LAYER and are_made
    return False


def joined_pair(event: Event, log: Log) -> RecurrentCalled | None:
    """The LSTM call whose h_n and c_n are joined along the batch, as if they were the states of two directions."""
    if not isinstance(event, Combined) or event.name.rpartition(".")[2] not in ("cat", "concat", "concatenate"):
        return None
    given, dim = event.seen("tensors"), event.seen("dim")
    if not isinstance(given, tuple) or len(given) != 2 or not isinstance(dim, Dim) or dim.literal not in (1, -2):
        return None
    for pair in (given, given[::-1]):
        call = state_pair(pair, log)
        first = pair[0]
        if call is not None and isinstance(first, Value) and first.axes is not None and len(first.axes) == 3:
            return call
    return None


def whole_result(pair: tuple[Seen, ...], log: Log) -> RecurrentCalled | None:
    """The recurrent call whose (output, state) a tuple is."""
    match pair:
        case (Value(part="output") as output, Value(part="h_n") | (Value(part="h_n"), Value(part="c_n"))):
            return _call(log.maker(output))
    return None


def padded_result(pair: tuple[Seen, ...], log: Log) -> PackCalled | None:
    """The pad_packed_sequence whose (output, lengths) a tuple is."""
    match pair:
        case (Value() as output, _):
            maker = log.maker(output)
            whole = isinstance(maker, PackCalled) and maker.name == "pad_packed_sequence" and maker.result == pair
            return maker if whole and isinstance(maker, PackCalled) else None
    return None


def _call(event: Event | None) -> RecurrentCalled | None:
    return event if isinstance(event, RecurrentCalled) else None
