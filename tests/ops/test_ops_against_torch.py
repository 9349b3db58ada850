"""Every operation of the table against the real one: same shapes, same kind of number, and a misfit exactly where it raises."""

from __future__ import annotations

import importlib
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import einops
import numpy as np
import pytest
import torch

from rnnshape_guard.ops import binary, find, paths, perform
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Many, Named, Operand, Result

RAISED = (RuntimeError, IndexError, ValueError, TypeError, einops.EinopsError)
Call = tuple[str, tuple[Any, ...], dict[str, Any]]
KINDS = {torch.float32: "float", torch.int64: "int", torch.bool: "bool"}


def tensor(*sizes: int, kind: str = "float") -> torch.Tensor:
    match kind:
        case "int":
            return torch.zeros(sizes, dtype=torch.long)
        case "bool":
            return torch.ones(sizes, dtype=torch.bool)
        case _:
            return torch.ones(sizes)


def operand(value: Any) -> Operand:
    match value:
        case torch.Tensor():
            return Shape.sized(*value.shape, dtype=KINDS[value.dtype])
        case np.ndarray():
            return Shape.sized(*value.shape)
        case bool() | float() | str() | None:
            return value
        case int():
            return Dim.of(value)
        case tuple() | list():
            return tuple(operand(item) for item in value)
        case torch.dtype():
            return str(value)
        case _:
            raise TypeError(value)


def real(path: str) -> Any:
    module, _, name = path.rpartition(".")
    if module == "Tensor":
        return getattr(torch.Tensor, name)
    return getattr(importlib.import_module(module), name)


def called(path: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    target = real(path)
    return target(*args, **kwargs) if callable(target) else target.__get__(args[0])


def same(result: Result, found: Any, exact: bool) -> bool:
    """Whether a predicted result says what torch gave; sizes may be unknown unless `exact`."""
    match result, found:
        case Shape(), torch.Tensor() | np.ndarray():
            axes = result.axes
            if axes is None:
                return not exact
            sizes = [axis.size.value for axis in axes]
            fits = len(sizes) == len(found.shape) and all(
                size == actual or (size is None and not exact) for size, actual in zip(sizes, found.shape, strict=True)
            )
            if isinstance(found, torch.Tensor) and result.dtype is not None:
                fits = fits and result.dtype == KINDS[found.dtype]
            if isinstance(found, torch.Tensor) and result.contiguous is not None and found.numel():
                fits = fits and result.contiguous == found.is_contiguous()
            return fits
        case Shape(), float() | np.generic():
            return result.axes == ()
        case Named(), tuple():
            names = getattr(found, "_fields", None) or type(found).__match_args__
            return tuple(result.names) == tuple(names) and same(result.results, tuple(found), exact)
        case tuple(), tuple() | list():
            return len(result) == len(found) and all(same(*pair, exact) for pair in zip(result, found, strict=True))
        case Many(), tuple():
            return not exact
        case Dim(), int():
            return result.value == found
        case _:
            return result is UNKNOWN and not exact


def check(path: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, exact: bool = True) -> None:
    operation = find(path)
    assert operation is not None, path
    _, outcome = perform(operation, [operand(arg) for arg in args], {key: operand(arg) for key, arg in kwargs.items()})
    spelled = f"{path}({', '.join(str(getattr(arg, 'shape', arg)) for arg in args)}, {dict(kwargs)})"
    try:
        found = called(path, args, kwargs)
    except RAISED as error:
        assert outcome.misfits, f"{spelled} raises `{error}` and nothing was predicted"
        return
    assert not outcome.misfits, f"{spelled} does not raise; predicted {[(m.fault, m.detail) for m in outcome.misfits]}"
    assert same(outcome.result, found, exact), (
        f"{spelled}: predicted {outcome.result}, found {getattr(found, 'shape', found)}"
    )


def both(names: str) -> list[str]:
    return [f"{owner}.{name}" for name in names.split() for owner in ("Tensor", "torch")]


SHAPES = [(), (3,), (1,), (2, 3), (1, 3), (2, 1, 3), (2, 3, 4), (2, 3, 1, 4)]


def reductions() -> Iterator[Call]:
    for path in both("sum mean prod amax amin std var all any argmax argmin max min median mode norm logsumexp nansum"):
        kind = "bool" if path.endswith((".all", ".any")) else "float"
        for sizes in SHAPES[1:]:
            x = tensor(*sizes, kind=kind)
            name = path.rpartition(".")[2]
            if name not in ("logsumexp", "mode"):
                yield path, (x,), {}
            for dim, keepdim in itertools.product((0, -1, 1, -2, len(sizes)), (False, True)):
                yield path, (x,), {"dim": dim, "keepdim": keepdim}
            if name not in ("norm", "std", "var"):
                yield path, (x, -1, True), {}
            if name in ("sum", "mean", "amax", "std", "norm", "logsumexp") and len(sizes) > 1:
                for dims in ((0, 1), (-1, 0), (0, 0), (0, 5)):
                    yield path, (x,), {"dim": dims, "keepdim": True}
    for path in both("kthvalue"):
        yield path, (tensor(2, 3), 1), {}
        yield path, (tensor(2, 3), 1, 0, True), {}
    yield "Tensor.norm", (tensor(2, 3), 2, 1), {}
    yield "torch.linalg.norm", (tensor(2, 3),), {"dim": 1}
    yield "torch.linalg.vector_norm", (tensor(2, 3), 2, -1, True), {}
    yield "Tensor.sum", (tensor(2, 3),), {"axis": 1, "keepdims": True}


def along_an_axis() -> Iterator[Call]:
    names = "cumsum cumprod softmax log_softmax argsort sort cummax"
    for path in (*both(names), "torch.nn.functional.softmax", "torch.nn.functional.log_softmax"):
        for sizes in SHAPES:
            for dim in (0, -1, 1, -3):
                yield path, (tensor(*sizes), dim), {}
    for path in both("sort argsort"):
        yield path, (tensor(2, 3),), {"descending": True}
    for dim in (0, 1, 2):
        yield "torch.nn.functional.normalize", (tensor(2, 3),), {"dim": dim}
        yield "torch.nn.functional.gumbel_softmax", (tensor(2, 3),), {"dim": dim}
    for path in both("topk"):
        for k, dim in itertools.product((1, 2, 3, 5), (0, 1, -1, 2)):
            yield path, (tensor(2, 3), k, dim), {}
        yield path, (tensor(2, 3), 3), {}


def pointwise() -> Iterator[Call]:
    unary = (
        "exp log abs sqrt sigmoid tanh relu neg square floor round sin cos erf rsqrt reciprocal log1p sign clamp_min"
    )
    for path in both(unary.replace(" clamp_min", "")):
        for sizes in SHAPES:
            yield path, (tensor(*sizes),), {}
    yield "torch.clamp", (tensor(2, 3),), {"min": 0.0, "max": 1.0}
    yield "Tensor.clamp", (tensor(2, 3), 0.0), {}
    for name in "relu gelu elu leaky_relu silu softplus hardtanh tanh sigmoid mish logsigmoid".split():
        yield f"torch.nn.functional.{name}", (tensor(2, 3),), {}
    yield "torch.nn.functional.dropout", (tensor(2, 3), 0.5, True), {}
    binaries = "add sub mul div pow maximum minimum eq ne lt gt atan2 fmod logical_and"
    for path in both(binaries):
        for left, right in itertools.product(SHAPES, SHAPES):
            yield path, (tensor(*left), tensor(*right)), {}
    for path in both("add sub mul div pow remainder"):
        yield path, (tensor(2, 3), 2), {}
        yield path, (tensor(2, 3, kind="int"), 2), {}
        yield path, (tensor(2, 3, kind="int"), 2.5), {}
    yield "torch.max", (tensor(2, 3), tensor(3)), {}
    yield "torch.max", (tensor(2, 3), tensor(4)), {}
    for sizes in ((3,), (1, 3), (4,)):
        for path in both("addcmul lerp"):
            yield path, (tensor(2, 3), tensor(2, 3), tensor(*sizes)), {}
        for path in both("masked_fill"):
            yield path, (tensor(2, 3), tensor(*sizes, kind="bool"), 0.0), {}
        yield "torch.where", (tensor(*sizes, kind="bool"), tensor(2, 3), 0.0), {}
        yield "torch.where", (tensor(*sizes, kind="bool"), tensor(2, 1), tensor(1, 3)), {}
        yield "Tensor.where", (tensor(2, 3), tensor(*sizes, kind="bool"), tensor(1, 3)), {}


def contractions() -> Iterator[Call]:
    shapes = [(2,), (3,), (2, 3), (3, 2), (3, 3), (2, 2, 3), (2, 3, 2), (1, 3, 2), (3, 2, 3), (2, 1, 2, 3), (4, 3, 2)]
    for left, right in itertools.product(shapes, shapes):
        for path in (*both("matmul bmm mm mv dot outer"),):
            yield path, (tensor(*left), tensor(*right)), {}
    for sizes in ((2, 2), (2,), (3,), (1, 2), (2, 2, 2)):
        yield "torch.addmm", (tensor(*sizes), tensor(2, 3), tensor(3, 2)), {}
        yield "torch.baddbmm", (tensor(*sizes), tensor(2, 2, 3), tensor(2, 3, 2)), {}
        yield "torch.nn.functional.linear", (tensor(*sizes), tensor(4, 2)), {}
    for equation, rows in (
        ("bij,bjk->bik", ((2, 3, 4), (2, 4, 5))),
        ("bij,bjk->bik", ((2, 3, 4), (2, 3, 5))),
        ("bij,bjk->bik", ((2, 3, 4), (4, 5))),
        ("bth,h->bt", ((2, 3, 4), (4,))),
        ("ij,jk", ((2, 3), (3, 4))),
        ("bt, bth -> bh", ((2, 3), (2, 3, 4))),
        ("bt,bth->bz", ((2, 3), (2, 3, 4))),
        ("ii->i", ((3, 3),)),
        ("ij->ji", ((2, 3),)),
        ("ij,ij->", ((2, 3), (2, 3))),
        ("ij,ij->i", ((2, 1), (2, 3))),
        ("ij,ij->i", ((2, 3),)),
    ):
        yield "torch.einsum", (equation, *(tensor(*row) for row in rows)), {}
    for x2 in ((2, 3), (3,), (1, 3), (4, 3), (2, 4)):
        yield "torch.nn.functional.cosine_similarity", (tensor(2, 3), tensor(*x2)), {}
        yield "torch.nn.functional.pairwise_distance", (tensor(2, 3), tensor(*x2)), {}
        yield "torch.cosine_similarity", (tensor(2, 3), tensor(*x2)), {"dim": -1}
    attention = "torch.nn.functional.scaled_dot_product_attention"
    for key, value in (((2, 5, 4), (2, 5, 6)), ((2, 5, 3), (2, 5, 6)), ((2, 5, 4), (2, 4, 6))):
        yield attention, (tensor(2, 3, 4), tensor(*key), tensor(*value)), {}


def makers() -> Iterator[Call]:
    for name in ("zeros", "ones", "rand", "randn", "empty"):
        yield f"torch.{name}", (2, 3), {}
        yield f"torch.{name}", ((2, 3),), {}
        yield f"torch.{name}", ([4],), {}
        yield f"torch.{name}", (2, -3), {}
        yield f"torch.{name}", (), {"size": (2, 3)}
    yield "torch.zeros", (2, 3), {"dtype": torch.long}
    yield "torch.ones", (2,), {"dtype": torch.bool}
    yield "torch.full", ((2, 3), 1.5), {}
    yield "torch.full", ((2, 3), True), {}
    yield "torch.randint", (0, 10, (2, 3)), {}
    yield "torch.randint", (10, (2, 3)), {}
    yield "torch.randint", (10,), {"size": (2, 3)}
    yield "torch.randint", (), {"low": 0, "high": 10, "size": (2, 3)}
    yield "torch.arange", (5,), {}
    yield "torch.arange", (2, 9), {}
    yield "torch.arange", (2, 9, 3), {}
    yield "torch.arange", (9, 2, -3), {}
    yield "torch.arange", (), {"start": 2, "end": 6}
    yield "torch.arange", (5,), {"dtype": torch.float32}
    yield "torch.linspace", (0, 1, 7), {}
    yield "torch.eye", (3,), {}
    yield "torch.eye", (3, 4), {}
    yield "torch.randperm", (6,), {}
    yield "torch.normal", (0.0, 1.0), {"size": (2, 3)}
    yield "torch.normal", (tensor(2, 3), tensor(3)), {}
    for data in ([1, 2, 3], [[1.0, 2.0], [3.0, 4.0]], [[1, 2], [3]], [True, False], 5, 2.5, [[[1]], [[2]]]):
        yield "torch.tensor", (data,), {}
        yield "torch.as_tensor", (data,), {}
    yield "torch.tensor", ([1, 2],), {"dtype": torch.float32}
    for name in ("zeros_like", "ones_like", "rand_like", "randn_like", "empty_like"):
        yield f"torch.{name}", (tensor(2, 3),), {}
    yield "torch.full_like", (tensor(2, 3), 1.0), {}
    yield "torch.zeros_like", (tensor(2, 3),), {"dtype": torch.long}
    for name in ("new_zeros", "new_ones", "new_empty"):
        yield f"Tensor.{name}", (tensor(2, 3), 4, 5), {}
        yield f"Tensor.{name}", (tensor(2, 3), (4, 5)), {}
    yield "Tensor.new_full", (tensor(2, 3), (4, 5), 1.0), {}
    yield "Tensor.new_tensor", (tensor(2, 3), [1.0, 2.0]), {}
    for sizes in ((2,), (2, 3), ()):
        yield "torch.nn.functional.one_hot", (tensor(*sizes, kind="int"), 5), {}
    yield "torch.nn.functional.embedding", (tensor(2, 3, kind="int"), tensor(10, 4)), {}


def casts() -> Iterator[Call]:
    for name in ("float", "long", "bool", "contiguous", "clone", "detach", "cpu"):
        yield f"Tensor.{name}", (tensor(2, 3),), {}
    yield "Tensor.data", (tensor(2, 3),), {}
    yield "Tensor.to", (tensor(2, 3), torch.int64), {}
    yield "Tensor.to", (tensor(2, 3), "cpu"), {}
    yield "Tensor.to", (tensor(2, 3), "cpu", torch.bool), {}
    yield "Tensor.to", (tensor(2, 3),), {"dtype": torch.bool}
    yield "Tensor.type", (tensor(2, 3), torch.int64), {}
    yield "Tensor.type_as", (tensor(2, 3), tensor(1, kind="int")), {}
    yield "Tensor.numpy", (tensor(2, 3),), {}
    yield "torch.autograd.Variable", (tensor(2, 3),), {}
    yield "torch.nn.Parameter", (tensor(2, 3),), {}
    for name in ("isnan", "isfinite", "logical_not"):
        yield f"torch.{name}", (tensor(2, 3),), {}


def picks() -> Iterator[Call]:
    for path in both("index_select"):
        for dim, sizes in itertools.product((0, 1, -1, 2), ((3,), (), (2, 2))):
            yield path, (tensor(2, 3), dim, tensor(*sizes, kind="int")), {}
    for path in both("gather"):
        for dim, sizes in itertools.product((0, 1, 2), ((2, 3), (1, 3), (2, 5), (5, 3), (3,), (2, 1))):
            yield path, (tensor(2, 3), dim, tensor(*sizes, kind="int")), {}
    for path in both("take_along_dim"):
        for dim, sizes in itertools.product((0, 1), ((2, 3), (1, 3), (2, 5), (5, 3), (2, 1))):
            yield path, (tensor(2, 3), tensor(*sizes, kind="int"), dim), {}
    for path in both("scatter"):
        yield path, (tensor(2, 3), 1, tensor(2, 1, kind="int"), 1.0), {}
    for path in both("index_fill"):
        yield path, (tensor(2, 3), 1, tensor(1, kind="int"), 1.0), {}
    for path in both("diagonal"):
        yield path, (tensor(3, 3),), {}
        yield path, (tensor(2, 3, 3), 0, 1, 2), {}
        yield path, (tensor(2, 3, 3), 0, 1, 1), {}
    for path in both("tril triu"):
        yield path, (tensor(3, 4),), {}
        yield path, (tensor(3, 4), 1), {}
    for size, step in itertools.product((2, 3, 9), (1, 2)):
        yield "Tensor.unfold", (tensor(2, 7), 1, size, step), {}
    yield (
        "Tensor.unfold",
        (
            tensor(
                7,
            ),
            0,
            3,
            1,
        ),
        {},
    )
    for lengths in ((1, 2), (0, 0), (0, 1, 2, 0), (1,), (0, 0, 0, 0, 0, 1), (-1, 0)):
        yield "torch.nn.functional.pad", (tensor(2, 3), lengths), {}
    for dim in (0, 1, -1, 2):
        yield "torch.nn.functional.glu", (tensor(3, 4), dim), {}
    for path in both("flip"):
        yield path, (tensor(2, 3), (0,)), {}
        yield path, (tensor(2, 3), (0, 1)), {}
        yield path, (tensor(2, 3), (0, 0)), {}
        yield path, (tensor(2, 3), (2,)), {}
    for path in both("roll"):
        yield path, (tensor(2, 3), 1), {}
        yield path, (tensor(2, 3), 1, 0), {}
        yield path, (tensor(2, 3), (1, 1), (0, 1)), {}
        yield path, (tensor(2, 3), (1, 1), 0), {}
    for path in both("tile"):
        yield path, (tensor(2, 3), (2,)), {}
        yield path, (tensor(2, 3), (2, 1, 2)), {}
    yield "Tensor.tile", (tensor(2, 3), 2, 1), {}
    for path in both("broadcast_to"):
        yield path, (tensor(1, 3), (2, 3)), {}
        yield path, (tensor(2, 3), (1, 3)), {}
    for path in both("repeat_interleave"):
        yield path, (tensor(2, 3), 2), {}
        yield path, (tensor(2, 3), 2, 1), {}
        yield path, (tensor(2, 3), 2, 2), {}


def measures() -> Iterator[Call]:
    for sizes in SHAPES:
        yield "Tensor.size", (tensor(*sizes),), {}
        yield "Tensor.size", (tensor(*sizes), 0), {}
        yield "Tensor.size", (tensor(*sizes), -2), {}
        yield "Tensor.shape", (tensor(*sizes),), {}
        yield "Tensor.dim", (tensor(*sizes),), {}
        yield "Tensor.ndim", (tensor(*sizes),), {}
        yield "Tensor.numel", (tensor(*sizes),), {}
        yield "torch.numel", (tensor(*sizes),), {}
        if sizes:
            yield "Tensor.__len__", (tensor(*sizes),), {}


def joins() -> Iterator[Call]:
    rows = [(2, 3), (2, 4), (4, 3), (3,), (2, 3, 1), ()]
    for left, right in itertools.product(rows, rows):
        pair = (tensor(*left), tensor(*right))
        for name in ("cat", "stack"):
            for dim in (0, 1, -1, 2):
                yield f"torch.{name}", (pair, dim), {}
        for name in ("hstack", "vstack", "dstack"):
            yield f"torch.{name}", (pair,), {}
    yield "torch.cat", ([tensor(0), tensor(2, 3)], 1), {}
    yield "torch.cat", ((tensor(2, 3),) * 3,), {"dim": 1}
    yield "torch.cat", ((tensor(2, 3),) * 3,), {"axis": 1}
    yield "torch.cat", ([],), {}
    for path in both("split"):
        for sizes in (2, 3, 7, (1, 2), (1, 1), (3, 4)):
            yield path, (tensor(2, 3), sizes, 1), {}
    yield "torch.split", (tensor(2, 4),), {"split_size_or_sections": 2, "dim": 1}
    for path in both("chunk tensor_split"):
        for count in (1, 2, 4, 0):
            yield path, (tensor(2, 7), count), {"dim": 1}
    for path in both("tensor_split"):
        yield path, (tensor(2, 7), (2, 5), 1), {}
    for path in both("unbind"):
        yield path, (tensor(2, 3),), {}
        yield path, (tensor(2, 3), -1), {}
        yield path, (tensor(2, 3), 2), {}


def arrays() -> Iterator[Call]:
    x = np.ones((2, 3, 4))
    yield "numpy.zeros", ((2, 3),), {}
    yield "numpy.ones", (4,), {}
    yield "numpy.full", ((2, 3), 1.0), {}
    yield "numpy.array", ([[1, 2], [3, 4]],), {}
    yield "numpy.arange", (5,), {}
    yield "numpy.linspace", (0, 1, 5), {}
    yield "numpy.linspace", (0, 1), {"num": 9}
    yield "numpy.random.rand", (2, 3), {}
    yield "numpy.random.randn", (2,), {}
    yield "numpy.random.random", ((2, 3),), {}
    yield "numpy.random.normal", (0, 1, (2, 3)), {}
    yield "numpy.random.uniform", (), {"size": (2, 3)}
    yield "numpy.random.randint", (0, 5, (2, 3)), {}
    yield "numpy.random.standard_normal", ((2, 3),), {}
    yield "numpy.random.exponential", (1.0, (2, 3)), {}
    yield "numpy.random.poisson", (2, 4), {}
    yield "numpy.random.beta", (1, 2), {"size": (2, 3)}
    yield "numpy.cumsum", (x,), {"axis": 1}
    yield "numpy.cumsum", (np.ones(3),), {}
    yield "numpy.cumsum", (x,), {"axis": 3}
    yield "numpy.reshape", (x, (6, 4)), {}
    yield "numpy.reshape", (x, (5, 4)), {}
    yield "numpy.reshape", (x, -1), {}
    yield "numpy.transpose", (x,), {}
    yield "numpy.transpose", (x, (1, 0, 2)), {}
    yield "numpy.transpose", (x,), {"axes": (2, 0, 1)}
    yield "numpy.swapaxes", (x, 0, 1), {}
    yield "numpy.moveaxis", (x, 0, -1), {}
    yield "numpy.expand_dims", (x, 0), {}
    yield "numpy.expand_dims", (x,), {"axis": -1}
    yield "numpy.squeeze", (np.ones((1, 3)),), {}
    yield "numpy.squeeze", (np.ones((1, 3)),), {"axis": 0}
    yield "numpy.stack", ((x, x),), {"axis": 1}
    yield "numpy.concatenate", ((x, x), 1), {}
    yield "numpy.concatenate", ((x, np.ones((2, 3, 5))), 1), {}
    yield "numpy.tile", (x, (2, 1)), {}
    yield "numpy.repeat", (x, 2), {"axis": 1}
    yield "numpy.sum", (x,), {"axis": 1}
    yield "numpy.mean", (x,), {"axis": (0, 1), "keepdims": True}
    yield "torch.from_numpy", (x,), {}


def patterns() -> Iterator[Call]:
    x = tensor(2, 3, 4)
    rows: list[tuple[str, dict[str, int]]] = [
        ("b t f -> t b f", {}),
        ("b t f -> (b t) f", {}),
        ("b t f -> b (t f)", {}),
        ("b t (h d) -> b h t d", {"h": 2}),
        ("b t (h d) -> (b h) t d", {"h": 2, "d": 2}),
        ("b t (h d) -> b h t d", {"h": 3}),
        ("b t (h d) -> b h t d", {"h": 3, "d": 2}),
        ("b ... -> ... b", {}),
        ("... f -> f ...", {}),
        ("b t f -> b 1 t f", {}),
        ("b t -> t b", {}),
        ("b t f -> b t", {}),
        ("b t f -> b t f z", {}),
        ("b t f -> b t f", {"b": 2}),
        ("b t f -> b t f", {"b": 3}),
        ("b t f - b t f", {}),
    ]
    for pattern, sizes in rows:
        yield "einops.rearrange", (x, pattern), dict(sizes)
    for pattern in (
        "b t f -> b f",
        "b t f -> b",
        "b t f -> b 1 f",
        "b (t 3) f -> b t f",
        "b t f -> f b",
        "... f -> ...",
    ):
        yield "einops.reduce", (x, pattern, "mean"), {}
    yield "einops.repeat", (x, "b t f -> b n t f"), {"n": 5}
    yield "einops.repeat", (x, "b t f -> b (t n) f"), {"n": 5}
    yield "einops.repeat", (x, "b t f -> (2 b) t f"), {}


FAMILIES = (
    reductions, along_an_axis, pointwise, contractions, makers, casts, picks, measures, joins, arrays, patterns,
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_family_agrees(family: Any) -> None:
    problems = []
    for path, args, kwargs in family():
        try:
            check(path, args, kwargs)
        except AssertionError as error:
            problems.append(str(error).partition("\nassert")[0])
    assert not problems, f"{len(problems)} differ:\n" + "\n".join(problems[:20])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("path", "args"),
    [
        ("torch.unique", (tensor(4),)),
        ("torch.nonzero", (tensor(2, 3),)),
        ("torch.masked_select", (tensor(2, 3), tensor(2, 3, kind="bool"))),
        ("Tensor.item", (tensor(1),)),
        ("Tensor.tolist", (tensor(2),)),
    ],
)
def test_values_decide_and_the_result_says_no_more_than_it_knows(path: str, args: tuple[Any, ...]) -> None:
    check(path, args, {}, exact=False)


@pytest.mark.parametrize("path", sorted(paths()))
def test_every_path_is_real(path: str) -> None:
    if path.startswith("torch.cuda.") or path == "Tensor.__len__":
        return
    module, _, name = path.rpartition(".")
    if module == "Tensor":
        owner: Any = torch.Tensor
    elif module.startswith("numpy.random."):
        owner = getattr(np.random, module.removeprefix("numpy.random."))
    else:
        owner = importlib.import_module(module)
    spelled = hasattr(owner, name) or hasattr(owner, f"{name}_")
    assert spelled or hasattr(np.ndarray, name), f"{path} is in no library"


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "@", "==", "<", "&", "|"])
def test_operators_agree(op: str) -> None:
    rng = random.Random(op)
    kind = "bool" if op in "&|" else "float"
    for _ in range(60):
        rows = [tuple(rng.choice((1, 2, 3)) for _ in range(rng.randint(1, 3))) for _ in range(2)]
        left, right = (tensor(*row, kind=kind) for row in rows)
        outcome = binary(op, operand(left), operand(right))
        try:
            found = eval(f"left {op} right", {"left": left, "right": right})
        except RAISED:
            assert outcome.misfits
            continue
        assert not outcome.misfits
        assert same(outcome.result, found, True)


def test_a_keyword_may_be_spelled_as_numpy_does() -> None:
    check("torch.permute", (tensor(2, 3),), {"dims": (1, 0)})
    check("Tensor.squeeze", (tensor(2, 1),), {"axis": 1})
    check("torch.stack", ((tensor(2), tensor(2)),), {"axis": 1})


def test_a_missing_argument_is_a_misfit() -> None:
    check("torch.transpose", (tensor(2, 3), 0), {})
    check("Tensor.unsqueeze", (tensor(2, 3),), {})


@pytest.mark.parametrize("rank", [2, 3, 4])
@pytest.mark.parametrize("ahead", [1, 2])
@pytest.mark.parametrize("places", [(0, 1), (1, 0), (1, 2), (0, 2)])
def test_what_is_known_of_a_transpose_of_unknown_rank_holds_for_every_rank(
    rank: int, ahead: int, places: tuple[int, int]
) -> None:
    if max(places) >= rank or ahead >= rank:
        pytest.skip("no such axes")
    x = torch.empty(*[3, 5, 7, 11][: rank - 1], 2)
    front = tuple(Axis.new("front", size) for size in x.shape[:ahead])
    given = Shape((*front, Rest(), Axis.new("last", 2)))
    operation = find("Tensor.transpose")
    assert operation is not None
    outcome = perform(operation, [given, *map(Dim.of, places)], {})[1]
    assert isinstance(outcome.result, Shape)
    moved = x.transpose(*places).shape
    known, _ = outcome.result.ends()
    assert outcome.result.least_rank <= rank
    assert all(axis.size.value in (None, moved[at]) for at, axis in enumerate(known))
    kept = [place for place in places if place < ahead]
    assert all(known[sum(places) - place].size.value == x.shape[place] for place in kept)
