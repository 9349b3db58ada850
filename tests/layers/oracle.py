"""torch as the judge: a layer or function run for real beside what `layers` says of it.

Concrete arguments are written once, as plain Python values and `Tensor` descriptions, and turned into torch's objects
and into operands of the shape algebra.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from rnnshape_guard.layers import FUNCTIONS, build, call, find
from rnnshape_guard.layers.memory import batch_over_time
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Misfit, Operand, Outcome, Packed, Result

# The tensors are tiny: threads would only wait for one another.
torch.set_num_threads(1)


@dataclass(frozen=True)
class Tensor:
    """A tensor of these sizes; `high` bounds the integers of an int tensor. A `swapped` one is seen through memory that
    holds its first two axes the other way round."""

    sizes: tuple[int, ...]
    dtype: str = "float"
    high: int = 1
    swapped: bool = False


@dataclass(frozen=True)
class PackedBatch:
    """A packed batch of ``(batch, max(lengths), *features)``."""

    lengths: tuple[int, ...]
    features: tuple[int, ...]
    in_order: bool = True


def to_torch(value: Any) -> Any:
    """The torch object of a description."""
    match value:
        case Tensor((first, second, *others), "float", _, True):
            return torch.rand((second, first, *others)).transpose(0, 1)
        case Tensor(sizes, "float"):
            return torch.rand(sizes)
        case Tensor(sizes, "bool"):
            return torch.zeros(sizes, dtype=torch.bool)
        case Tensor(sizes, _, high):
            return torch.randint(0, high, sizes)
        case PackedBatch(lengths, features, in_order):
            padded = torch.rand((len(lengths), max(lengths), *features))
            return pack_padded_sequence(padded, torch.tensor(lengths), batch_first=True, enforce_sorted=in_order)
        case tuple() | list():
            return type(value)(to_torch(item) for item in value)
        case _:
            return value


def to_operand(value: Any) -> Operand:
    """The operand of a description."""
    match value:
        case Tensor((first, second, *others), dtype, _, True):
            axes = tuple(Axis.new("axis", size) for size in (first, second, *others))
            return batch_over_time(axes[0], axes[1], axes[2:], dtype)
        case Tensor(sizes, dtype):
            return Shape.sized(*sizes, dtype=dtype)
        case PackedBatch(lengths, features, in_order):
            batch, time = Axis.new("batch", len(lengths)), Axis.new("time", max(lengths))
            others = tuple(Axis.new("feature", size) for size in features)
            return Packed(batch, time, others, "float", Dim.of(len(lengths)), in_order)
        case bool() | float() | str() | None:
            return value
        case int():
            return Dim.of(value)
        case tuple() | list():
            return tuple(to_operand(item) for item in value)
    raise TypeError(value)


@dataclass(frozen=True)
class Real:
    """What torch gave, or the error it raised."""

    result: Any = None
    error: Exception | None = None


def really(function: Callable[[], Any]) -> Real:
    """Run torch, without its warnings."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            return Real(function())
        except Exception as error:  # noqa: BLE001  torch raises whatever it likes
            return Real(error=error)


def facts(result: Any) -> Any:
    """A torch result as nested sizes and contiguities."""
    match result:
        case PackedSequence():
            return ("packed", int(result.batch_sizes[0]), len(result.batch_sizes), tuple(result.data.shape[1:]))
        case torch.Tensor():
            return (tuple(result.shape), result.is_contiguous(), tuple(result.stride()))
        case tuple() | list():
            return [facts(item) for item in result]
        case _:
            return result


def mismatches(predicted: Result, real: Any, path: str = "result") -> Iterator[str]:
    """Where a prediction and torch's result disagree."""
    match predicted, real:
        case Shape(), torch.Tensor():
            sizes = tuple(axis.size.value for axis in predicted.axes or ())
            if predicted.axes is None or sizes != tuple(real.shape):
                yield f"{path}: {predicted} of sizes {sizes}, but torch gives {tuple(real.shape)}"
            if predicted.contiguous is not None and predicted.contiguous != real.is_contiguous() and real.numel():
                yield f"{path}: contiguous {predicted.contiguous}, but torch says {real.is_contiguous()}"
            if predicted.strides is not None and real.numel():
                strides = tuple(stride.value for stride in predicted.strides)
                moving = [place for place, size in enumerate(real.shape) if size > 1]
                if any(strides[place] != real.stride()[place] for place in moving):
                    yield f"{path}: strides {strides}, but torch has {real.stride()}"
        case Packed(), PackedSequence():
            sizes = tuple(part.size.value for part in predicted.features if isinstance(part, Axis))
            mine = ("packed", predicted.batch.size.value, predicted.time.size.value, sizes)
            if mine != facts(real):
                yield f"{path}: {mine}, but torch gives {facts(real)}"
        case tuple(), tuple() | list():
            if len(predicted) != len(real):
                yield f"{path}: {len(predicted)} results, but torch gives {len(real)}"
            for place, (one, other) in enumerate(zip(predicted, real, strict=False)):
                yield from mismatches(one, other, f"{path}[{place}]")
        case None, None:
            return
        case _:
            yield f"{path}: {predicted!r}, but torch gives {facts(real)}"


def judge(case: str, misfits: tuple[Misfit, ...], outcome: Outcome | None, real: Real) -> bool:
    """Assert that a prediction is what torch did; whether torch raised."""
    if real.error is not None:
        assert misfits, f"{case}: torch raises {type(real.error).__name__}: {real.error}; nothing was predicted"
        return True
    assert not misfits, f"{case}: predicted {misfits}, but torch gives {facts(real.result)}"
    assert outcome is not None
    assert not outcome.equations, f"{case}: left open {outcome.equations}"
    assert not outcome.closes
    wrong = list(mismatches(outcome.result, real.result))
    assert not wrong, f"{case}: {wrong}"
    return False


def judge_layer(
    name: str,
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    inputs: tuple[Any, ...],
    keywords: Mapping[str, Any] | None = None,
) -> bool:
    """Construct and call a layer in both worlds and compare; whether torch raised."""
    keywords = keywords or {}
    kind = find(f"torch.nn.{name}")
    assert kind is not None
    built = build(kind, tuple(map(to_operand, arguments)), {key: to_operand(value) for key, value in options.items()})
    assert built.spec is not None
    called = call(
        built.spec, tuple(map(to_operand, inputs)), {key: to_operand(value) for key, value in keywords.items()}
    )

    def run() -> Any:
        layer = getattr(torch.nn, name)(*map(to_torch, arguments), **{key: to_torch(v) for key, v in options.items()})
        return layer(*map(to_torch, inputs), **{key: to_torch(value) for key, value in keywords.items()})

    case = f"nn.{name}{arguments}{dict(options)} on {inputs}{dict(keywords)}"
    return judge(case, (*built.misfits, *called.misfits), called, really(run))


def judge_function(name: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    """Call a function of torch.nn.utils.rnn in both worlds and compare; whether torch raised."""
    operands = tuple(map(to_operand, arguments))
    outcome = FUNCTIONS[f"torch.nn.utils.rnn.{name}"](operands, {key: to_operand(v) for key, v in options.items()})
    function = getattr(torch.nn.utils.rnn, name)
    real = really(lambda: function(*map(to_torch, arguments), **{key: to_torch(v) for key, v in options.items()}))
    return judge(f"{name}{arguments}{dict(options)}", outcome.misfits, outcome, real)
