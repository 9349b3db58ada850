"""A window that slides along an axis: what convolutions and pools make of its length."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.layers.arguments import Flag, Size
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.shapes.axes import Axis
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Fault, Misfit


@dataclass(frozen=True, slots=True)
class Window:
    """A window's settings along one axis; `ceil` lets a last one hang over the end."""

    kernel: Size
    stride: Size
    padding: Size
    dilation: Size
    ceil: Flag = False


def axis_names(count: int) -> tuple[str, ...]:
    """Names for the axes that a window slides over."""
    return ("length",) if count == 1 else ("height", "width") if count == 2 else ("depth", "height", "width")


def slid(window: Window, axis: Axis, place: int, ledger: Ledger) -> Axis:
    """The axis that a window leaves of another: ``(L + 2·padding - dilation·(kernel - 1) - 1) // stride + 1``.

    It is the very same axis where the size cannot change, else a new one that descends from it: what was time is
    still time.
    """
    parts = (window.kernel, window.stride, window.padding, window.dilation)
    sizes = tuple(part for part in parts if isinstance(part, Dim))
    name = axis.atom.name if axis.atom else "length"
    if len(sizes) < len(parts) or not isinstance(window.ceil, bool):
        return Axis.new(name, source=axis.atom)
    kernel, stride, padding, dilation = sizes
    reach = dilation * (kernel - 1) + 1
    room = axis.size + 2 * padding - reach
    left, step = room.value, stride.value
    if left is not None and left < 0 and not (window.ceil and step is not None and left + step > 0):
        ledger.misfits.append(
            Misfit(
                fault=Fault.VALUE,
                operand="input",
                axis=place,
                expected=reach,
                found=axis.size + 2 * padding,
                detail="is shorter than the kernel",
            )
        )
        return Axis.new(name, source=axis.atom)
    if step == 1:
        size = room + 1
        return axis if compare(size, axis.size).equal else Axis.new(name, size, source=axis.atom)
    if left is None or step is None or step < 1:
        return Axis.new(name, source=axis.atom)
    count = left // step + 1
    if window.ceil:
        count = (left + step - 1) // step + 1
        # The last window must begin inside the input or its left padding.
        start, length = padding.value, axis.size.value
        if start is None or length is None:
            return Axis.new(name, source=axis.atom)
        if (count - 1) * step >= length + start:
            count -= 1
    return Axis.new(name, count, source=axis.atom)
