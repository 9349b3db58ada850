"""What an ``assert`` says of sizes: from there on they are so."""

from __future__ import annotations

from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.static import evidence, expressions, records, subscripts
from rnnshape_guard.static.run import Frame, Run
from rnnshape_guard.static.values import Anything, ListValue, Opaque, ShapeOf


def read(run: Run, frame: Frame, test: records.Expression) -> None:
    """``assert x.shape[1] == seq_len``: from here on the axis has that size, and what the name says it is. So it is of
    ``assert x.shape == (batch, 3)`` and ``assert x.shape[1:] == (seq_len, 3)``, which fix the rank too."""
    match test:
        case records.BooleanOperation(operator="and", left=left, right=right):
            read(run, frame, left)
            read(run, frame, right)
        case records.Comparison(left=left, rights=(("==", right),)) if not _calls_unknown(left, right):
            one, two = (expressions.evaluate(run, frame, side) for side in (left, right))
            if not (_row(run, frame, left, right, two) or _row(run, frame, right, left, one)):
                _one(run, one, right, two)
                _one(run, two, left, one)
                if isinstance(one, Dim) and isinstance(two, Dim):
                    run.equate(one, two, learned=False)


def _one(run: Run, size: Anything, word: records.Expression, other: Anything) -> None:
    if isinstance(size, Dim) and isinstance(other, Dim | Opaque) and isinstance(word, records.Name):
        evidence.read_name(run, word.id, size, word)


def _row(run: Run, frame: Frame, side: records.Expression, words: records.Expression, row: Anything) -> bool:
    """Whether a side is a shape, or one from some axis on, and the other all its sizes."""
    sizes = row if isinstance(row, tuple) else row.items if isinstance(row, ListValue) and row.is_known else None
    skipped = 0
    if isinstance(side, records.Subscript):
        skipped = _first(run, frame, side)
        side = side.value
    if sizes is None or skipped < 0 or not isinstance(side, records.Attribute | records.Call):
        return False
    shape = expressions.evaluate(run, frame, side)
    if not isinstance(shape, ShapeOf):
        return False
    parts = subscripts.unpack_shape(run, shape, skipped + len(sizes), None)[skipped:]
    names = words.items if isinstance(words, records.Sequence) else ()
    for at, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        if at < len(names):
            _one(run, part, names[at], size)
        if isinstance(part, Dim) and isinstance(size, Dim):
            run.equate(part, size, learned=False)
    return True


def _first(run: Run, frame: Frame, side: records.Subscript) -> int:
    """The axis from which on ``shape[1:]`` takes all; -1 for any other subscript."""
    match side.items:
        case (records.SliceRange(start=start, stop=None, step=None),) if start is not None:
            first = expressions.evaluate(run, frame, start)
            number = first.value if isinstance(first, Dim) else None
            return number if number is not None and number >= 0 else -1
    return -1


def _calls_unknown(*sides: records.Expression) -> bool:
    """Whether one side is a call of more than a size."""
    return any(
        isinstance(side, records.Call)
        and not (isinstance(side.function, records.Attribute) and side.function.name == "size")
        and not (isinstance(side.function, records.Name) and side.function.id == "len")
        for side in sides
    )
