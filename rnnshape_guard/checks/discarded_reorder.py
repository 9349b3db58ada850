"""RSG308: the result of a permute, view or squeeze is thrown away: the statement does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import receiver
from rnnshape_guard.events import Called, Discarded, Log, Operated, Value
from rnnshape_guard.findings import Finding, Severity

_NAMES = frozenset(
    """permute transpose swapaxes swapdims movedim moveaxis t view view_as reshape reshape_as squeeze unsqueeze contiguous
    flatten unflatten expand expand_as""".split()
)

_REGROUPING = frozenset("view view_as reshape reshape_as contiguous flatten unflatten".split())
"""These turn no axis: where what follows takes the tensor as it is, the statement is left over and does no harm."""


def check(discarded: Discarded, log: Log) -> Iterator[Finding]:
    """Judge each statement that is nothing but such an operation on what surely is a tensor."""
    event = log.events[discarded.made_by] if 0 <= discarded.made_by < len(log.events) else None
    if not isinstance(event, Operated) or event.in_place:
        return
    name = event.name.rpartition(".")[2]
    value = event.value("input")
    if name not in _NAMES or value is None or not _is_tensor(value, event, log):
        return
    text = receiver(event)
    is_harmless = name in _REGROUPING and not any(
        reader.misfits for reader in log.readers(value) if reader.id > event.id
    )
    target = text if text.isidentifier() else ""
    yield Finding(
        code="RSG308",
        message=f"`{name}` returns a new tensor, which is thrown away: {wording.quoted(text)} stays as it was",
        place=event.place,
        primary="does nothing",
        expected=wording.shape(event.result) if isinstance(event.result, Value) else "",
        found=wording.shape(value),
        help=f"{target} = {event.place.text}" if target else "assign the result",
        severity=Severity.NOTE if is_harmless else None,
        subject=frozenset({("discarded", event.id)}),
        cause=event.id,
    )


def _is_tensor(value: Value, event: Operated, log: Log) -> bool:
    """Whether something else than this statement says that the value is a tensor: it was made by an operation, or it is
    read by one."""
    if value.made_by >= 0:
        return True
    return any(reader is not event and isinstance(reader, Called) for reader in log.readers(value))
