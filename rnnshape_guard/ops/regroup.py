"""The heart of view and reshape: which atoms each target axis is made of.

A view takes atoms in memory order: from the left up to -1, then from the right. Identity comes before value: a size
that was read from an atom takes that atom, and if the atom stands further on, the view takes elements of the atoms
between for it: a scramble. Numbers match only sizes known as numbers, and prove no order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rnnshape_guard.ops.memory import has_flag, same_stride
from rnnshape_guard.ops.operands import is_one
from rnnshape_guard.shapes.axes import Atom, Axis, Role
from rnnshape_guard.shapes.dims import ONE, Condition, Dim, Symbol, compare, divide, exact_quotient, resolve, same_size


@dataclass(frozen=True, slots=True)
class Piece:
    """An atom where it lies: how far one step along it moves (None: not known), and the axis it comes from."""

    atom: Atom
    stride: Dim | None
    axis: int

    @property
    def size(self) -> Dim:
        """The atom's size."""
        return self.atom.size


Group = tuple[Piece, ...]
Agreement = Callable[[Dim, Dim], bool]


@dataclass(frozen=True, slots=True)
class Skip:
    """Atoms that a target axis names out of memory order: those it wants and those it passes over."""

    target: int
    wanted: tuple[Atom, ...]
    passed: tuple[Atom, ...]
    condition: Condition


@dataclass(slots=True)
class Regrouped:
    """For each target its pieces, or None where it is not made of whole atoms in order; `skips` are the scrambles.

    `left` are the pieces nothing took; `equation` holds two sizes that must be equal for the elements to fit.
    """

    groups: list[Group | None]
    skips: list[Skip] = field(default_factory=list)
    left: list[Piece] = field(default_factory=list)
    equation: tuple[Dim, Dim] | None = None


def pieces_of(axes: Sequence[Axis], strides: Sequence[Dim] | None) -> list[Piece]:
    """The atoms of all axes in order, each with its stride."""
    found: list[Piece] = []
    for index, axis in enumerate(axes):
        step = None if strides is None else strides[index]
        inner: list[Piece] = []
        for atom in reversed(axis.atoms):
            inner.append(Piece(atom, step, index))
            step = None if step is None else step * atom.size
        found.extend(reversed(inner))
    return found


def product(pieces: Sequence[Piece]) -> Dim:
    """The number of elements that pieces span."""
    return Dim.product(piece.size for piece in pieces)


def regroup(pieces: Sequence[Piece], targets: Sequence[Dim | None], infer: int | None) -> Regrouped:
    """Give each target its pieces. `infer` is the index of the -1, whose entry in `targets` is not looked at."""
    result = Regrouped([None] * len(targets))
    pool = list(pieces)
    last = len(targets) - 1
    stop = len(targets) if infer is None else infer
    first = 0
    while first < stop:
        taken = _take(pool, targets[first], targets[first + 1 : stop], first, result, True)
        if taken is None:
            break
        first += 1
    if first < stop or infer is not None:
        bound = first if infer is None else infer
        while last > bound - (infer is None):
            taken = _take(
                pool, targets[last], targets[max(bound + (infer is not None), 0) : last][::-1], last, result, False
            )
            if taken is None:
                break
            last -= 1
    open_targets = list(range(first, last + 1))
    if infer is not None and open_targets == [infer]:
        result.groups[infer] = tuple(pool)
        pool = []
    elif infer is None and len(open_targets) == 1 and _may_take_all(pool, targets[open_targets[0]]):
        (only,) = open_targets
        wanted = targets[only]
        result.equation = _balance(pool, [wanted])
        result.groups[only] = tuple(pool)
        pool = []
    elif infer is None:
        result.equation = _balance(pool, [targets[index] for index in open_targets])
        if not open_targets:
            # Nothing is left to hold what was passed over: the sizes fit only if it is 1, and then the order is right.
            spare = {piece.atom for piece in pool}
            result.skips = [skip for skip in result.skips if not spare.issuperset(skip.passed)]
    result.left = pool
    return result


def lead(pieces: Sequence[Piece], targets: Sequence[Dim | None]) -> Regrouped:
    """Give the first targets their pieces, where `pieces` are only those that are known from the front of a tensor."""
    result = Regrouped([None] * len(targets))
    pool = list(pieces)
    for index, wanted in enumerate(targets):
        if not pool or _take(pool, wanted, (), index, result, True) is None:
            break
    return result


def rejoined(atoms: Sequence[Atom]) -> tuple[Atom, ...]:
    """Atoms with the two halves of a split made whole again: heads·head_dim of hidden is hidden."""
    row: list[Atom] = []
    for atom in atoms:
        row.append(atom)
        while len(row) > 1 and _are_halves(row[-2], row[-1]):
            source = row[-1].source
            assert source is not None
            row[-2:] = [source]
    return tuple(row)


def _are_halves(outer: Atom, inner: Atom) -> bool:
    """Two atoms cut from one by `_halves`, which makes them one right after the other."""
    source = outer.source
    if source is None or source is not inner.source or inner.serial != outer.serial + 1:
        return False
    whole = outer.size * inner.size
    return same_size(whole, source.size) or compare(whole, source.size).equal


def _may_take_all(pool: Sequence[Piece], wanted: Dim | None) -> bool:
    return wanted is None or not compare(wanted, product(pool)).different


def _balance(pool: Sequence[Piece], wanted: Sequence[Dim | None]) -> tuple[Dim, Dim] | None:
    """What must be equal for the elements to fit, where that is neither certain nor impossible."""
    sizes = [size for size in wanted if size is not None]
    if len(sizes) < len(wanted):
        return None  # an unknown size balances anything
    total, held = Dim.product(sizes), product(pool)
    verdict = compare(total, held)
    return None if verdict.equal or verdict.conflicts else (total, held)


def _take(
    pool: list[Piece],
    wanted: Dim | None,
    following: Sequence[Dim | None],
    target: int,
    result: Regrouped,
    leftmost: bool,
) -> Group | None:
    """Take a target's pieces off one end of the pool; None, and nothing taken, where it is made of no whole atoms."""
    if wanted is None:
        return None
    line = _Line(pool if leftmost else pool[::-1], leftmost)
    group = line.take(wanted, following)
    if group is None:
        return None
    pool[:] = line.left if leftmost else line.left[::-1]
    ordered = group if leftmost else group[::-1]
    if line.passed:
        passed = line.passed if leftmost else line.passed[::-1]
        condition = _harmful(line.found, passed)
        if condition is not None:
            result.skips.append(
                Skip(target, tuple(piece.atom for piece in ordered), tuple(piece.atom for piece in passed), condition)
            )
    result.groups[target] = tuple(ordered)
    return tuple(ordered)


def _harmful(found: Sequence[Piece], passed: Sequence[Piece]) -> Condition | None:
    """The flags under which both what is passed over and what is found beyond it are more than 1; None if they never are."""
    conditions: dict[Symbol, int] = {}
    for pieces in (found, passed):
        for symbol, value in compare(product(pieces), ONE).condition:
            if conditions.setdefault(symbol, value) != value:
                return None
    return tuple(conditions.items())


class _Line:
    """Pieces in the order they are met from one end."""

    def __init__(self, pieces: Sequence[Piece], leftmost: bool) -> None:
        self.left = list(pieces)
        self.leftmost = leftmost
        self.passed: list[Piece] = []
        self.found: list[Piece] = []

    def take(self, wanted: Dim, following: Sequence[Dim | None]) -> list[Piece] | None:
        """Pieces whose sizes multiply to `wanted`; None if there are none in reach."""
        if wanted.value == 1:
            return self._unit(wanted)
        group: list[Piece] = []
        need = wanted
        while not is_one(need):
            found = self._whole(need, started=bool(group))
            if found is not None:
                group += found
                need = ONE
                break
            units = self._units(need)
            if not self.left:
                return None
            head = self.left[0]
            rest = _named_quotient(need, head.size) or divide(need, head.size)
            if rest is not None:
                group += [*units, self.left.pop(0)]
                need = rest
                continue
            part = self._split(head, need, following)
            if part is None:
                return None
            group += [*units, part]
            need = ONE
        if not (following and following[0] is not None and is_one(following[0])):
            group += self._trailing_units(group)
        return group

    def _unit(self, wanted: Dim) -> list[Piece]:
        """The axis of size 1 that comes next, or the one that was named; no piece at all is an axis of size 1 too."""
        for index, piece in enumerate(self.left):
            if not is_one(piece.size):
                break
            if wanted.literal is not None or same_size(wanted, piece.size):
                del self.left[:index]
                return [self.left.pop(0)]
        return []

    def _units(self, need: Dim) -> list[Piece]:
        """Take the pieces of size 1 off the end; those that share an axis with what follows are kept with it."""
        units: list[Piece] = []
        while self.left and is_one(self.left[0].size):
            units.append(self.left.pop(0))
        return [unit for unit in units if self.left and unit.axis == self.left[0].axis]

    def _trailing_units(self, group: Sequence[Piece]) -> list[Piece]:
        taken: list[Piece] = []
        while group and self.left and is_one(self.left[0].size) and self.left[0].axis == group[-1].axis:
            taken.append(self.left.pop(0))
        return taken

    def _whole(self, need: Dim, *, started: bool) -> list[Piece] | None:
        """Whole pieces that make up `need`: next in line by identity, further on by identity, next in line by value."""
        found = self._run(need, 0, same_size)
        if found is not None:
            return self._cut(0, found, need)
        for start in range(1, len(self.left)):
            if is_one(self.left[start].size):
                continue
            found = self._run(need, start, same_size)
            if found is not None:
                return self._cut(start, found, need)
        found = self._run(need, 0, _equal)
        if found is not None:
            return self._cut(0, found)
        return self._factor_further_on(need) if started else self._swapped(need)

    def _swapped(self, need: Dim) -> list[Piece] | None:
        """The second of two axes whose sizes are known as numbers, asked for first: (4, 14) as (14, -1)."""
        rest = [(at, piece.size.value) for at, piece in enumerate(self.left) if not is_one(piece.size)]
        number = need.value
        if not self.leftmost or len(rest) != 2 or number is None:
            return None
        (_, near), (at, far) = rest
        if far != number or near is None or near % number == 0:
            return None
        return self._cut(at, at + 1)

    def _factor_further_on(self, need: Dim) -> list[Piece] | None:
        """What is left of a size after whole atoms, found only past others: `2·hidden` of [direction, batch, hidden]."""
        if not self.left:
            return None
        head = next((piece for piece in self.left if not is_one(piece.size)), None)
        if head is None or has_flag(head.size):
            return None
        divides = divide(head.size, need) is not None
        for start in range(1, len(self.left)):
            if is_one(self.left[start].size) or self.left[start] is head:
                continue
            found = self._run(need, start, _equal)
            if found is None:
                continue
            roles = {piece.atom.kind for piece in self.left[start:found]}
            if not divides or (roles <= {Role.LAYER, Role.DIRECTION} and head.atom.kind not in roles):
                return self._cut(start, found)
        return None

    def _run(self, need: Dim, start: int, agree: Agreement) -> int | None:
        """The end of the shortest run of pieces from `start` whose product is `need`."""
        size = ONE
        for end in range(start, len(self.left)):
            size = size * self.left[end].size
            if agree(size, need):
                return end + 1
        return None

    def _cut(self, start: int, end: int, need: Dim | None = None) -> list[Piece]:
        """Take a run out of the line; what it passes over, if its size may be above 1, is noted and stays. A piece of
        size 1 belongs to it if it shares an axis with the rest, or if `need` names it: a batch of one is still merged."""
        passed = [piece for piece in self.left[:start] if not is_one(piece.size)]
        group = self.left[0 if not passed else start : end]
        axes = {piece.axis for piece in group if not is_one(piece.size)}
        self.left = [*passed, *self.left[end:]]
        self.passed += passed
        self.found += group if passed else []
        named = set(resolve(need, numbers=False).symbols()) if need is not None else set()
        return [piece for piece in group if piece.axis in axes or piece.atom.symbol in named]

    def _split(self, head: Piece, need: Dim, following: Sequence[Dim | None]) -> Piece | None:
        """Cut `need` off an atom, where the sizes that follow make up the rest of it, or it divides exactly."""
        rest = _following_product(head.size, need, following)
        if rest is None:
            rest = divide(head.size, need)
        if rest is None or is_one(rest):
            return None
        self.left.pop(0)
        return self._halves(head, need, rest)

    def _halves(self, head: Piece, near: Dim, far: Dim) -> Piece:
        """Two pieces for one: the near one is taken, the far one goes back in line."""
        outer, inner = (near, far) if self.leftmost else (far, near)
        stride = head.stride
        pair = (
            Piece(_part(head.atom, outer), None if stride is None else stride * inner, head.axis),
            Piece(_part(head.atom, inner), stride, head.axis),
        )
        taken, kept = pair if self.leftmost else pair[::-1]
        self.left.insert(0, kept)
        return taken


def _equal(left: Dim, right: Dim) -> bool:
    return compare(left, right).equal


def _part(atom: Atom, size: Dim) -> Atom:
    """One of the two that an atom is cut into; what is said of it is not said of the whole, nor the other way round."""
    symbol = size.symbol
    part = Atom(atom.name if symbol is None else symbol.name, size, source=atom)
    part.evidence = []
    return part


def _following_product(size: Dim, need: Dim, following: Sequence[Dim | None]) -> Dim | None:
    rest = ONE
    for factor in following:
        if factor is None:
            return None
        rest = rest * factor
        if is_one(rest):
            continue
        total = need * rest
        if same_size(total, size) or compare(total, size).equal:
            return rest
    return None


def _named_quotient(size: Dim, divisor: Dim) -> Dim | None:
    """The exact quotient with names kept: numbers do not divide one another here."""
    below = resolve(divisor, numbers=False)
    if below.literal is not None:
        return None
    return exact_quotient(resolve(size, numbers=False), below)


def mergeable(group: Group) -> bool | None:
    """Whether a group's pieces lie one inside the other without a gap, so that a view can be one axis of them."""
    answer: bool | None = True
    pieces = [piece for piece in group if not is_one(piece.size)]
    for outer, inner in itertools.pairwise(pieces):
        if outer.axis == inner.axis:
            continue
        if outer.stride is None or inner.stride is None:
            return None
        same = same_stride(outer.stride, inner.size * inner.stride)
        if same is False and not has_flag(outer.size) and not has_flag(inner.size):
            return False
        answer = None if same is not True else answer
    return answer
