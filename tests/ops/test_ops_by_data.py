"""Proof by data: a tensor filled with its own flat index shows where every element went, and the atoms must say the same.

Random chains of operations run on a real tensor and on its shape. The shape must come out as torch's, a misfit must come
exactly where torch raises, contiguity must agree where it is claimed, and walking along an atom must move the flat index
by that atom's stride. A scramble must be reported exactly when it does not.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch

from rnnshape_guard.ops import find, index, perform
from rnnshape_guard.shapes.axes import Atom, Axis, Shape
from rnnshape_guard.shapes.dims import Dim, Symbol, resolve
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Operand, Outcome, Slice

CHAINS = 1200
LENGTH = 5
WORDS = ("layer", "direction", "batch", "time", "hidden", "feature")


@dataclass
class Pair:
    """A tensor, its shape, and how far each atom moves the flat index (atoms made on the way are learned)."""

    tensor: torch.Tensor
    shape: Shape
    moves: dict[Atom, int]
    loose: set[Atom] = field(default_factory=set)


@dataclass
class Step:
    """One operation with its arguments, in the tensor's words and in the shape's."""

    words: str
    real: Callable[[torch.Tensor], object]
    model: Callable[[Shape], Outcome]
    linear: bool = True
    cuts: bool = False
    """Takes slices: one across the border of two atoms moves unevenly."""


def start(rng: random.Random) -> Pair:
    """A contiguous tensor of one to four axes, some of them of two atoms, sizes equal or different or 1."""
    sizes = rng.choice([(2, 3, 4, 5), (2, 2, 3, 3), (4, 2, 6, 3), (2, 2, 2, 2), (1, 2, 3, 1), (6, 4, 12, 2)])
    atoms = [Atom(word, rng.choice(sizes)) for word in rng.sample(WORDS, rng.randint(1, 4))]
    axes: list[Axis] = []
    for atom in atoms:
        if axes and len(axes[-1].atoms) == 1 and rng.random() < 0.3:
            axes[-1] = Axis((*axes[-1].atoms, atom))
        else:
            axes.append(Axis((atom,)))
    moves: dict[Atom, int] = {}
    step = 1
    for atom in reversed(atoms):
        moves[atom] = step
        step *= number(atom.size)
    shape = Shape.of(*axes)
    return Pair(torch.arange(step).reshape([number(axis.size) for axis in axes]), shape, moves)


ASSIGNED: dict[Symbol, int] = {}
"""What the symbols of the chain now running stand for on the tensor's side."""


def number(size: Dim) -> int:
    value = resolve(size, given=ASSIGNED).literal
    assert value is not None
    return value


def run(path: str, *args: Operand, **kwargs: Operand) -> Callable[[Shape], Outcome]:
    operation = find(path)
    assert operation is not None
    return lambda shape: perform(operation, (shape, *args), kwargs)[1]


def dims(*numbers: int) -> tuple[Dim, ...]:
    return tuple(Dim.of(value) for value in numbers)


def permute(rng: random.Random, pair: Pair) -> Step:
    rank = pair.tensor.dim()
    order = rng.sample(range(rank), rank)
    if rng.random() < 0.1:
        order = rng.choice([order[1:], [*order, 0], [0] * rank, [value + 1 for value in order]])
    order = [value - rank if rng.random() < 0.2 else value for value in order]
    return Step(f"permute{order}", lambda x: x.permute(order), run("Tensor.permute", dims(*order)))


def transpose(rng: random.Random, pair: Pair) -> Step:
    one, two = (rng.randint(-pair.tensor.dim() - (rng.random() < 0.05), pair.tensor.dim() - 1) for _ in range(2))
    return Step(f"transpose({one}, {two})", lambda x: x.transpose(one, two), run("Tensor.transpose", *dims(one, two)))


def movedim(rng: random.Random, pair: Pair) -> Step:
    rank = pair.tensor.dim()
    count = rng.randint(1, rank)
    froms, tos = rng.sample(range(rank), count), rng.sample(range(rank), count)
    model = run("torch.movedim", dims(*froms), dims(*tos))
    return Step(f"movedim({froms}, {tos})", lambda x: x.movedim(froms, tos), model)


def whole(rng: random.Random, pair: Pair) -> Step:
    name = rng.choice(["T", "mT", "t", "contiguous", "clone", "detach", "ravel", "exp"])
    if name == "exp":
        return Step("neg().neg()", lambda x: x.neg().neg(), lambda shape: again("torch.neg", shape))
    if name in ("T", "mT"):
        if name == "T" and pair.tensor.dim() != 2:
            return transpose(rng, pair)
        return Step(name, lambda x: getattr(x, name), run(f"Tensor.{name}"))
    return Step(f"{name}()", lambda x: getattr(x, name)(), run(f"Tensor.{name}"))


def again(path: str, shape: Shape) -> Outcome:
    first = run(path)(shape)
    assert isinstance(first.result, Shape)
    return run(path)(first.result)


def sizes_to_view(rng: random.Random, pair: Pair) -> tuple[list[int], list[Dim]]:
    """Target sizes: products of atoms in some order, by identity or as numbers, sometimes split, off, or with -1."""
    atoms = list(pair.shape.atoms())
    if rng.random() < 0.35:
        rng.shuffle(atoms)
    targets: list[Dim] = []
    for atom in atoms:
        size = atom.size if rng.random() < 0.7 else Dim.of(number(atom.size))
        value = number(atom.size)
        if value in (4, 6, 12) and rng.random() < 0.3:
            targets += rng.choice([[Dim.of(2), Dim.of(value // 2)], [Dim.of(value // 2), Dim.of(2)]])
        elif targets and rng.random() < 0.3:
            targets[-1] = targets[-1] * size
        else:
            targets.append(size)
    if rng.random() < 0.2:
        targets.insert(rng.randint(0, len(targets)), Dim.of(1))
    if targets and rng.random() < 0.4:
        targets[rng.randrange(len(targets))] = Dim.of(-1)
    if targets and rng.random() < 0.05:
        targets[rng.randrange(len(targets))] = Dim.of(rng.choice([5, 7, -1]))
    return [number(size) for size in targets], targets


def view(rng: random.Random, pair: Pair) -> Step:
    numbers, targets = sizes_to_view(rng, pair)
    name = rng.choice(["view", "reshape"])
    words = ", ".join(str(size) for size in targets)
    return Step(
        f"{name}({words}) = {numbers}", lambda x: getattr(x, name)(numbers), run(f"Tensor.{name}", tuple(targets))
    )


def flatten(rng: random.Random, pair: Pair) -> Step:
    one, two = (rng.randint(-pair.tensor.dim(), pair.tensor.dim() - 1) for _ in range(2))
    return Step(f"flatten({one}, {two})", lambda x: x.flatten(one, two), run("torch.flatten", *dims(one, two)))


def unflatten(rng: random.Random, pair: Pair) -> Step:
    place = rng.randrange(pair.tensor.dim())
    axis = pair.shape.axis(place)
    assert axis is not None
    targets = [atom.size for atom in axis.atoms] or [Dim.of(1)]
    if rng.random() < 0.3:
        targets = [Dim.of(2), Dim.of(-1)]
    elif rng.random() < 0.3:
        rng.shuffle(targets)
    numbers = [number(size) for size in targets]
    return Step(
        f"unflatten({place}, {targets})",
        lambda x: x.unflatten(place, numbers),
        run("torch.unflatten", Dim.of(place), tuple(targets)),
    )


def squeeze(rng: random.Random, pair: Pair) -> Step:
    if rng.random() < 0.2:
        return Step("squeeze()", lambda x: x.squeeze(), run("Tensor.squeeze"))
    place = rng.randint(-pair.tensor.dim() - (rng.random() < 0.1), pair.tensor.dim() - 1)
    return Step(f"squeeze({place})", lambda x: x.squeeze(place), run("Tensor.squeeze", Dim.of(place)))


def unsqueeze(rng: random.Random, pair: Pair) -> Step:
    place = rng.randint(-pair.tensor.dim() - 1 - (rng.random() < 0.1), pair.tensor.dim())
    return Step(f"unsqueeze({place})", lambda x: x.unsqueeze(place), run("Tensor.unsqueeze", Dim.of(place)))


def expand(rng: random.Random, pair: Pair) -> Step:
    sizes = [3 if size == 1 and rng.random() < 0.7 else rng.choice([-1, size]) for size in pair.tensor.shape]
    sizes = [*([2] if rng.random() < 0.3 else []), *sizes]
    if rng.random() < 0.1:
        sizes[rng.randrange(len(sizes))] = 7
    return Step(f"expand{sizes}", lambda x: x.expand(sizes), run("Tensor.expand", *dims(*sizes)))


def repeat(rng: random.Random, pair: Pair) -> Step:
    counts = [rng.choice([1, 1, 2]) for _ in range(pair.tensor.dim() + (rng.random() < 0.3) - (rng.random() < 0.1))]
    return Step(f"repeat{counts}", lambda x: x.repeat(counts), run("Tensor.repeat", *dims(*counts)))


def interleave(rng: random.Random, pair: Pair) -> Step:
    place = rng.randrange(pair.tensor.dim())
    model = run("torch.repeat_interleave", Dim.of(2), dim=Dim.of(place))
    return Step(f"repeat_interleave(2, {place})", lambda x: x.repeat_interleave(2, dim=place), model)


def subscript(rng: random.Random, pair: Pair) -> Step:
    real: list[object] = []
    items: list[Operand] = []
    linear = True
    count = rng.randint(1, pair.tensor.dim() + (rng.random() < 0.05))
    dotted = rng.random() < 0.2
    tail = rng.randint(0, count) if dotted else count
    for place in range(count):
        if dotted and place == tail:
            real.append(...)
            items.append(...)
        at = place if place < tail else place - count
        size = pair.tensor.shape[at] if -pair.tensor.dim() <= at < pair.tensor.dim() else 2
        kind = rng.random()
        if kind < 0.3:
            chosen = rng.randint(-size, size - 1) if rng.random() < 0.95 else size
            real.append(chosen)
            items.append(Dim.of(chosen))
        elif kind < 0.65:
            bounds = cut(rng, pair, at, size)
            real.append(slice(*(None if bound is None else number(bound) for bound in bounds)))
            items.append(Slice(*bounds))
        elif kind < 0.75:
            real.append(slice(None))
            items.append(Slice())
        elif kind < 0.85:
            real += [None, slice(None)]
            items += [None, Slice()]
        else:
            if not linear:
                real.append(slice(None))
                items.append(Slice())
                continue
            linear = False
            chosen_items, model = pick(rng, size)
            real.append(chosen_items)
            items.append(model)
    return Step(f"[{real}]", lambda x: x[tuple(real)], lambda shape: index(shape, tuple(items)), linear, cuts=True)  # type: ignore[index]


def cut(rng: random.Random, pair: Pair, at: int, size: int) -> tuple[Dim | None, Dim | None, Dim | None]:
    axis = pair.shape.axis(at)
    if axis is not None and len(axis.atoms) > 1 and rng.random() < 0.5:
        inner = Axis(axis.atoms[1:]).size
        return rng.choice([(None, inner, None), (inner, None, None), (inner, 2 * inner, None), (None, None, inner)])
    # Where nobody knows the size, a slice is taken to begin and end inside the axis.
    known = axis is None or axis.size.value is not None
    low, high = (-size - 1, size + 1) if known else (-size, max(size - 1, 0))
    bounds = [rng.choice([None, Dim.of(rng.randint(low, high))]) for _ in range(2)]
    return bounds[0], bounds[1], rng.choice([None, None, Dim.of(2)])


def pick(rng: random.Random, size: int) -> tuple[object, Operand]:
    """One list, an index tensor of one or two axes, or a mask."""
    match rng.randrange(4):
        case 0:
            chosen = [rng.randrange(size) for _ in range(3)]
            return chosen, dims(*chosen)
        case 1:
            return torch.zeros(3, dtype=torch.long), Shape.sized(3, dtype="int")
        case 2:
            return torch.zeros(2, 3, dtype=torch.long), Shape.sized(2, 3, dtype="int")
        case _:
            wrong = rng.random() < 0.1
            return torch.ones(size + wrong, dtype=torch.bool), Shape.sized(size + wrong, dtype="bool")


def narrow(rng: random.Random, pair: Pair) -> Step:
    place = rng.randrange(pair.tensor.dim())
    size = pair.tensor.shape[place]
    first = rng.randint(0, size - 1) if size else 0
    length = rng.randint(0, size - first)
    if rng.random() < 0.5 and size:
        return Step(
            f"select({place}, {first})", lambda x: x.select(place, first), run("Tensor.select", *dims(place, first))
        )
    words = f"narrow({place}, {first}, {length})"
    return Step(
        words, lambda x: x.narrow(place, first, length), run("Tensor.narrow", *dims(place, first, length)), cuts=True
    )


def pieces(rng: random.Random, pair: Pair) -> Step:
    place = rng.randint(-pair.tensor.dim(), pair.tensor.dim() - 1)
    size = pair.tensor.shape[place]
    name = rng.choice(["chunk", "split", "unbind", "tensor_split", "sizes"])
    if name == "unbind":
        return Step(f"unbind({place})[-1]", lambda x: x.unbind(place)[-1], last(run("Tensor.unbind", Dim.of(place))))
    if name == "sizes":
        sizes = [1, max(size - 1 + (rng.random() < 0.1), 0)]
        model = last(run("torch.split", dims(*sizes), Dim.of(place)))
        return Step(f"split({sizes}, {place})[-1]", lambda x: x.split(sizes, place)[-1], model, cuts=True)
    many = rng.randint(1, 3)
    model = last(run(f"Tensor.{name}", Dim.of(many), Dim.of(place)))
    return Step(f"{name}({many}, {place})[-1]", lambda x: getattr(x, name)(many, place)[-1], model, cuts=True)


def last(model: Callable[[Shape], Outcome]) -> Callable[[Shape], Outcome]:
    def applied(shape: Shape) -> Outcome:
        outcome = model(shape)
        if isinstance(outcome.result, Many):
            item = outcome.result.item
            return Outcome(item if isinstance(item, Shape) else UNKNOWN, outcome.misfits)
        if not isinstance(outcome.result, tuple):
            return outcome
        return Outcome(outcome.result[-1], outcome.misfits)

    return applied


def join(rng: random.Random, pair: Pair) -> Step:
    place = rng.randint(-pair.tensor.dim(), pair.tensor.dim() - 1)
    name = rng.choice(["cat", "stack", "hstack", "vstack", "dstack"])
    operation = find(f"torch.{name}")
    assert operation is not None
    given = (Dim.of(place),) if name in ("cat", "stack") else ()
    real = (place,) if name in ("cat", "stack") else ()
    return Step(
        f"{name}(x, x)",
        lambda x: getattr(torch, name)((x, x), *real),
        lambda shape: perform(operation, ((shape, shape), *given), {})[1],
        linear=False,
    )


STEPS = (
    permute, permute, transpose, movedim, whole, whole, view, view, view, view, view, flatten, unflatten, squeeze,
    unsqueeze, expand, repeat, interleave, subscript, subscript, subscript, narrow, pieces, join,
)  # fmt: skip


def agrees(tensor: torch.Tensor, shape: Shape, pair: Pair, *, learn: bool) -> bool:
    """Whether walking along each atom moves the flat index as the atom says.

    An atom made on the way is learned; one that continues another (a slice, a part) must move evenly, one that claims
    nothing may turn out uneven and is loose from then on, as is all that is cut from it.
    """
    for place, axis in enumerate(shape.axes or ()):
        inner = 1
        line = tensor.movedim(place, 0).reshape(tensor.shape[place], -1)
        for atom in reversed(axis.atoms):
            size = number(atom.size)
            if size > 1 and not is_loose(atom, pair):
                grid = line.reshape(-1, size, inner, line.shape[1])
                steps = (grid[:, 1:] - grid[:, :-1]).unique()
                known = pair.moves.get(atom)
                if len(steps) == 1 and known is None and learn:
                    pair.moves[atom] = int(steps[0])
                elif len(steps) != 1 and known is None and atom.source is None:
                    pair.loose.add(atom)
                elif len(steps) != 1 or int(steps[0]) != known:
                    return False
            inner *= size
    return True


def is_loose(atom: Atom | None, pair: Pair) -> bool:
    while atom is not None:
        if atom in pair.loose:
            return True
        atom = atom.source
    return False


def apply_step(step: Step, pair: Pair) -> Pair | None:
    """Both sides of one step, compared. None where the chain ends: torch raised, or the order is lost."""
    outcome = step.model(pair.shape)
    loud = [misfit for misfit in outcome.misfits if misfit.fault is not Fault.SCRAMBLE]
    try:
        tensor = step.real(pair.tensor)
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        if pair.shape.contiguous is None and "view size is not compatible" in str(error):
            return None  # nobody knows the memory
        assert loud, f"torch raised `{error}` and nothing was predicted"
        assert not any(misfit.condition for misfit in loud)
        return None
    assert isinstance(tensor, torch.Tensor)
    assert not loud, f"predicted {[(m.fault, m.detail) for m in loud]} and torch did not raise"
    result = outcome.result
    assert isinstance(result, Shape)
    axes = result.axes
    assert axes is not None, "the rank is known"
    sizes = [axis.size.value for axis in axes]
    if step.linear:
        assert sizes == list(tensor.shape)
    else:
        assert len(sizes) == tensor.dim()
        assert all(size in (None, real) for size, real in zip(sizes, tensor.shape, strict=True))
    if result.contiguous is not None and tensor.numel():
        assert result.contiguous == tensor.is_contiguous(), f"contiguous: {result.contiguous} is claimed"
    if result.strides is not None and tensor.numel():
        real = [stride for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1]
        assert [s.value for s, size in zip(result.strides, tensor.shape, strict=True) if size > 1] == real
    if not tensor.numel():
        return None
    if len(outcome.misfits) > len(loud):
        concerned = [atom for misfit in outcome.misfits for atom in (*misfit.wanted, *misfit.skipped)]
        if not any(is_loose(atom, pair) or pair.moves.get(atom) == 0 for atom in concerned):
            assert not agrees(tensor, result, pair, learn=False), "a scramble was predicted and the data is in order"
        return None
    old = set(pair.shape.atoms())
    if not step.linear:
        if None in sizes:
            return None
        pair.loose.update(atom for atom in result.atoms() if atom not in old)
    if step.cuts and any(len(axis.atoms) > 1 for axis in pair.shape.axes or ()):
        pair.loose.update(atom for atom in result.atoms() if atom not in old)
    after = Pair(tensor, result, pair.moves, pair.loose)
    assert agrees(tensor, result, after, learn=True), "the atoms say otherwise than the data"
    return after


def start_unknown(rng: random.Random) -> Pair:
    """As `start`, with sizes that only the tensor's side knows: plain symbols, parameters, 1 + a flag."""
    pair = start(rng)
    moves: dict[Atom, int] = {}
    new: dict[Atom, Atom] = {}
    for atom, move in pair.moves.items():
        value = number(atom.size)
        replaced = Atom(atom.name, unknown_size(rng, value))
        if replaced.symbol.value is None:
            ASSIGNED[replaced.symbol] = value
        new[atom] = replaced
        moves[replaced] = move
    shape = Shape.of(*(Axis(tuple(new[atom] for atom in axis.atoms)) for axis in pair.shape.axes or ()))
    return Pair(pair.tensor, shape, moves)


def unknown_size(rng: random.Random, value: int) -> Dim | int | None:
    """A size that stands for `value`: the number itself, nothing, a parameter, or 1 + a flag."""
    kind = rng.random()
    if value <= 2 and kind < 0.4:
        flag = Symbol("flag", flag=True)
        ASSIGNED[flag] = value - 1
        return 1 + Dim.of(flag)
    if value < 3 or kind < 0.2:
        return value
    if kind < 0.7:
        return None
    parameter = Symbol("parameter", positive=True)
    ASSIGNED[parameter] = value
    return Dim.of(parameter)


def apply_unknown(step: Step, pair: Pair) -> Pair | None:
    """One step where sizes are not known: what is claimed must hold for the sizes that the tensor has."""
    outcome = step.model(pair.shape)
    holding = [
        misfit for misfit in outcome.misfits if all(ASSIGNED[symbol] == value for symbol, value in misfit.condition)
    ]
    loud = [misfit for misfit in holding if misfit.fault is not Fault.SCRAMBLE]
    try:
        tensor = step.real(pair.tensor)
    except (RuntimeError, IndexError, ValueError, TypeError):
        return None
    assert isinstance(tensor, torch.Tensor)
    if holds_ones(pair.tensor) and any(misfit.fault is Fault.STRIDES for misfit in loud):
        return None  # unknown sizes are taken to be above 1
    assert not loud, f"predicted {[(m.fault, m.detail) for m in loud]} and torch did not raise"
    result = outcome.result
    assert isinstance(result, Shape)
    if step.words == "squeeze()" and result.least_rank > tensor.dim():
        return None  # it is not meant for a batch of one
    assert result.least_rank <= tensor.dim()
    axes = result.axes
    if axes is None or not tensor.numel():
        return None
    assert len(axes) == tensor.dim()
    if not all(settle(axis, size) for axis, size in zip(axes, tensor.shape, strict=True)):
        return None
    assert [number(axis.size) for axis in axes] == list(tensor.shape), "sizes"
    if result.contiguous is not None and not holds_ones(pair.tensor, tensor):
        assert result.contiguous == tensor.is_contiguous(), f"contiguous: {result.contiguous} is claimed"
    if len(holding) > len(loud):
        concerned = [atom for misfit in outcome.misfits for atom in (*misfit.wanted, *misfit.skipped)]
        units = [misfit for misfit in outcome.misfits if 1 in (spanned(misfit.wanted), spanned(misfit.skipped))]
        if not units and not any(is_loose(atom, pair) or pair.moves.get(atom) == 0 for atom in concerned):
            assert not agrees(tensor, result, pair, learn=False), "a scramble was predicted and the data is in order"
        return None
    old = set(pair.shape.atoms())
    if not step.linear or (step.cuts and any(len(axis.atoms) > 1 for axis in pair.shape.axes or ())):
        pair.loose.update(atom for atom in result.atoms() if atom not in old)
    after = Pair(tensor, result, pair.moves, pair.loose)
    assert agrees(tensor, result, after, learn=True), "the atoms say otherwise than the data"
    return after


def holds_ones(*tensors: torch.Tensor) -> bool:
    """Whether a size was 1 that the shape's side does not know of, now or earlier in the chain."""
    return any(1 in tensor.shape for tensor in tensors) or any(
        value == 1 for symbol, value in ASSIGNED.items() if not symbol.flag
    )


def spanned(atoms: tuple[Atom, ...]) -> int:
    return number(Dim.product(atom.size for atom in atoms))


def settle(axis: Axis, size: int) -> bool:
    """Say what the one unknown symbol of an axis stands for, now that its size is seen. False where there are several."""
    unknown = [atom for atom in axis.atoms if resolve(atom.size, given=ASSIGNED).literal is None]
    if not unknown:
        return True
    if len(unknown) > 1 or resolve(unknown[0].size, given=ASSIGNED).symbol is None:
        return False
    others = 1
    for atom in axis.atoms:
        others *= 1 if atom is unknown[0] else number(atom.size)
    symbol = resolve(unknown[0].size, given=ASSIGNED).symbol
    assert symbol is not None
    ASSIGNED[symbol] = size // others
    return True


def chain(seed: int, begin: Callable[[random.Random], Pair], go: Callable[[Step, Pair], Pair | None]) -> None:
    """One random chain, reported in words if it fails."""
    ASSIGNED.clear()
    rng = random.Random(seed)
    pair: Pair | None = begin(rng)
    assert pair is not None
    words = [f"{pair.shape} = {list(pair.tensor.shape)}, {[str(resolve(atom.size)) for atom in pair.shape.atoms()]}"]
    for _ in range(LENGTH):
        if pair is None or not pair.tensor.dim() or pair.tensor.numel() > 3000:
            break
        step = rng.choice(STEPS)(rng, pair)
        words.append(step.words)
        try:
            pair = go(step, pair)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {' . '.join(words)}\n{error}") from error


@pytest.mark.parametrize("block", range(8))
def test_random_chains_agree_with_the_data(block: int) -> None:
    for seed in range(block * CHAINS // 8, (block + 1) * CHAINS // 8):
        chain(seed, start, apply_step)


@pytest.mark.parametrize("block", range(8))
def test_what_is_claimed_of_unknown_sizes_holds_for_every_size(block: int) -> None:
    for seed in range(block * CHAINS // 8, (block + 1) * CHAINS // 8):
        chain(seed, start_unknown, apply_unknown)
