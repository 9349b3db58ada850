"""What a call finds while it compares its operands with what a layer needs."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.layers.arguments import Bound, Size, describe
from rnnshape_guard.shapes.axes import Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import (
    Fault,
    Learned,
    Misfit,
    Named,
    Operand,
    Outcome,
    Packed,
    Result,
)


class Ledger:
    """Collects misfits, equations, roles and closings; `outcome` makes the frozen answer of them."""

    def __init__(self, bound: Bound | None = None) -> None:
        self.misfits: list[Misfit] = list(bound.misfits) if bound else []
        self.equations: list[tuple[Dim, Dim]] = []
        self.learned: list[Learned] = []
        self.closes: list[tuple[Rest, tuple[Axis | Rest, ...]]] = []

    def outcome(self, result: Result) -> Outcome:
        """The answer."""
        return Outcome(result, tuple(self.misfits), tuple(self.equations), tuple(self.learned), tuple(self.closes))

    def note(self, fault: Fault, operand: str, detail: str = "", *, axis: int | None = None) -> None:
        """Something that doesn't fit, in a phrase."""
        self.misfits.append(Misfit(fault=fault, operand=operand, detail=detail, axis=axis))

    def size(self, operand: str, axis: int | None, expected: Size, found: Dim, detail: str = "") -> None:
        """Ask that an axis has a size; what is not known is left for the driver to learn."""
        if not isinstance(expected, Dim):
            return
        comparison = compare(expected, found)
        if comparison.equal:
            return
        if not comparison.conflicts:
            self.equations.append((found, expected))
            return
        self.misfits.append(
            Misfit(
                fault=Fault.SIZE,
                operand=operand,
                axis=axis,
                expected=expected,
                found=found,
                condition=comparison.condition,
                detail=detail,
            )
        )

    def rank(self, operand: str, shape: Shape, ranks: Sequence[int]) -> None:
        """Note a wrong number of axes."""
        found = Dim.of(shape.least_rank)
        self.misfits.append(Misfit(fault=Fault.RANK, operand=operand, ranks=tuple(ranks), found=found))

    def tensor(self, operand: str, value: Operand, *, dtype: str | None = None) -> Shape | None:
        """The tensor that an operand must be, or None where it is unknown. Another thing is noted, and what will
        have been meant is returned: the first of a tuple's tensors."""
        match value:
            case Shape():
                if dtype == "float" and value.dtype in {"int", "bool"}:
                    self.note(Fault.DTYPE, operand, "holds integers where numbers with a fraction are needed")
                elif dtype == "int" and value.dtype in {"float", "bool"}:
                    self.note(Fault.DTYPE, operand, "holds no integers where indices are needed")
                return value
            case Packed() | tuple() | Named() | None | bool() | Dim() | float() | str():
                self.note(Fault.TYPE, operand, describe(value))
                match value:
                    case (Shape() as first, *_) | Named(results=(Shape() as first, *_)):
                        return first
            case _:
                pass
        return None

    def tensor_unwanted(self, operand: str, value: Shape) -> None:
        """Note a tensor where another thing is needed."""
        self.note(Fault.TYPE, operand, describe(value))

    def parts(self, shape: Shape) -> tuple[Axis | Rest, ...]:
        """A tensor's parts, with what this call has already closed: one tensor may be several operands."""
        closed = dict(self.closes)
        parts = shape.parts
        while any(isinstance(part, Rest) and part in closed for part in parts):
            parts = tuple(
                inner
                for part in parts
                for inner in (closed[part] if isinstance(part, Rest) and part in closed else (part,))
            )
        return parts

    def axes(
        self, operand: str, shape: Shape, rank: int, names: Sequence[str], allowed: Sequence[int] = ()
    ) -> tuple[Axis, ...] | None:
        """The axes of a tensor that must have this rank, or one of those `allowed`. Where the rank is open it is closed
        to the first, with new axes named as given; None if it is known to be none of them (noted)."""
        parts = self.parts(shape)
        axes = tuple(part for part in parts if isinstance(part, Axis))
        if len(axes) < len(parts):
            axes = self._close(parts, rank, names)
        if len(axes) != rank and len(axes) not in allowed:
            self.rank(operand, shape, allowed or (rank,))
            return None
        return axes

    def _close(self, parts: tuple[Axis | Rest, ...], rank: int, names: Sequence[str]) -> tuple[Axis, ...]:
        """The axes of an open rank, closed; as many as there are at least where that is more than `rank`."""
        place, rest = next((place, part) for place, part in enumerate(parts) if isinstance(part, Rest))
        missing = max(rank - len(parts) + 1, rest.least)
        words = (*names, *(f"axis{index}" for index in range(len(names), place + missing)))
        fresh = tuple(Axis.new(words[place + index]) for index in range(missing))
        axes = tuple(part for part in (*parts[:place], *fresh, *parts[place + 1 :]) if isinstance(part, Axis))
        if len(axes) == rank:
            self.closes.append((rest, fresh))
        return axes

    def last(self, shape: Shape, name: str) -> tuple[tuple[Axis | Rest, ...], Axis] | None:
        """A tensor's axes up to the last one, and the last; None for a tensor of no axes. Where the last one is not
        named yet, it gets a name; where it may be one of those known from the front, it stays unlinked."""
        parts = self.parts(shape)
        if not parts:
            return None
        end = parts[-1]
        if isinstance(end, Axis):
            return parts[:-1], end
        if not end.least and len(parts) > 1:
            return (*parts[:-2], Rest()), Axis.new(name)
        rest, axis = Rest(max(end.least - 1, 0)), Axis.new(name)
        self.closes.append((end, (rest, axis)))
        return (*parts[:-1], rest), axis

    def learn(self, axis: Axis, role: Role, strength: Strength, text: str) -> None:
        """A role for an axis of one atom; an axis of size 1 has none."""
        atom = axis.atom
        if atom is not None and axis.size.value != 1:
            self.learned.append(Learned(atom, role, strength, text))
