"""RSG902: an axis string that can't be read, or that can't have been meant as jaxtyping reads it."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.events import Log, Misnoted
from rnnshape_guard.findings import Finding


def check(event: Misnoted, log: Log) -> Iterator[Finding]:
    """The place is the character in the string where it goes wrong."""
    words, _, remedy = event.message.partition(": write ")
    yield Finding(
        code="RSG902",
        message=f'"{event.text}": {words}',
        place=event.spot,
        primary="here",
        help=remedy,
        subject=frozenset({("notation", event.place.text)}),
        cause=event.id,
    )
