"""One table from the names of operations to what they do.

A row names a rule, its kind, the paths it answers to and its signature in PyTorch's words. A path is ``Tensor.permute``
for a method or attribute, ``torch.permute`` for a function, and so on by module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from rnnshape_guard.ops import (
    casts,
    combine,
    create,
    einops,
    elementwise,
    expand,
    functional,
    gather,
    matmul,
    measure,
    reduce,
    reorder,
    reshape,
    select,
    split,
)
from rnnshape_guard.ops.operands import wrong_type
from rnnshape_guard.ops.operation import Kind, Operation, Rule, parameters
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.outcomes import UNKNOWN, Named, Operand, Outcome, Packed, Unknown

Row = tuple[Rule, Kind, str, str]


def _spelled(prefixes: str, names: str) -> str:
    return " ".join(f"{prefix}.{name}" for name in names.split() for prefix in prefixes.split())


_GENERATOR = "numpy.random.Generator"
_OLD_GENERATOR = "numpy.random numpy.random.RandomState"
_GENERATORS = f"{_GENERATOR} {_OLD_GENERATOR}"


def _both(names: str) -> str:
    """A method and the function of the same name."""
    return _spelled("Tensor torch", names)


_REORDER: tuple[Row, ...] = (
    (reorder.permute, Kind.REORDER, "Tensor.permute torch.permute", "input, *dims"),
    (
        reorder.transpose,
        Kind.REORDER,
        "Tensor.swapaxes Tensor.swapdims torch.transpose torch.swapaxes torch.swapdims",
        "input, dim0, dim1",
    ),
    (reorder.transpose_any, Kind.REORDER, "Tensor.transpose", "input, dim0=None, dim1=None, *rest=None"),
    (
        reorder.movedim,
        Kind.REORDER,
        "Tensor.movedim Tensor.moveaxis torch.movedim torch.moveaxis",
        "input, source, destination",
    ),
    (reorder.t, Kind.REORDER, "Tensor.t torch.t", "input"),
    (reorder.reversed_axes, Kind.REORDER, "Tensor.T", "input"),
    (reorder.matrix_transpose, Kind.REORDER, "Tensor.mT", "input"),
    (reorder.flip, Kind.REORDER, "Tensor.flip torch.flip", "input, *dims"),
    (reorder.roll, Kind.REORDER, "Tensor.roll torch.roll", "input, shifts, dims=None"),
)

_RESHAPE: tuple[Row, ...] = (
    (reshape.view, Kind.RESHAPE, "Tensor.view", "input, *size"),
    (reshape.reshape, Kind.RESHAPE, "Tensor.reshape torch.reshape", "input, *shape"),
    (reshape.view_as, Kind.RESHAPE, "Tensor.view_as", "input, other"),
    (reshape.reshape_as, Kind.RESHAPE, "Tensor.reshape_as", "input, other"),
    (reshape.flatten, Kind.RESHAPE, "Tensor.flatten torch.flatten", "input, start_dim=0, end_dim=-1"),
    (reshape.ravel, Kind.RESHAPE, "Tensor.ravel torch.ravel", "input"),
    (reshape.unflatten, Kind.RESHAPE, "Tensor.unflatten torch.unflatten", "input, dim, sizes"),
    (reshape.squeeze, Kind.RESHAPE, "Tensor.squeeze torch.squeeze", "input, dim=None"),
    (reshape.unsqueeze, Kind.RESHAPE, "Tensor.unsqueeze torch.unsqueeze", "input, dim"),
    (expand.expand, Kind.RESHAPE, "Tensor.expand", "input, *size"),
    (expand.expand_as, Kind.RESHAPE, "Tensor.expand_as", "input, other"),
    (expand.broadcast_to, Kind.RESHAPE, "Tensor.broadcast_to torch.broadcast_to", "input, *shape"),
    (expand.repeat, Kind.RESHAPE, "Tensor.repeat", "input, *repeats"),
    (expand.tile, Kind.RESHAPE, "Tensor.tile torch.tile", "input, *dims"),
    (
        expand.repeat_interleave,
        Kind.RESHAPE,
        "Tensor.repeat_interleave torch.repeat_interleave",
        "input, repeats, dim=None",
    ),
)

_COMBINE: tuple[Row, ...] = (
    (combine.cat, Kind.COMBINE, "torch.cat torch.concat torch.concatenate", "tensors, dim=0"),
    (combine.stack, Kind.COMBINE, "torch.stack", "tensors, dim=0"),
    (combine.hstack, Kind.COMBINE, "torch.hstack", "tensors"),
    (combine.vstack, Kind.COMBINE, "torch.vstack torch.row_stack", "tensors"),
    (combine.dstack, Kind.COMBINE, "torch.dstack", "tensors"),
    (split.chunk, Kind.SELECT, "Tensor.chunk torch.chunk", "input, chunks, dim=0"),
    (split.split, Kind.SELECT, "Tensor.split", "input, split_size, dim=0"),
    (split.split, Kind.SELECT, "torch.split", "input, split_size, dim=0"),
    (
        split.tensor_split,
        Kind.SELECT,
        "Tensor.tensor_split torch.tensor_split",
        "input, indices_or_sections, dim=0",
    ),
    (split.unbind, Kind.SELECT, "Tensor.unbind torch.unbind", "input, dim=0"),
)

_SELECT: tuple[Row, ...] = (
    (select.select, Kind.SELECT, "Tensor.select torch.select", "input, dim, index"),
    (select.narrow, Kind.SELECT, "Tensor.narrow torch.narrow", "input, dim, start, length"),
)

_MEASURE: tuple[Row, ...] = (
    (measure.size, Kind.MEASURE, "Tensor.size", "input, dim=None"),
    (measure.shape, Kind.MEASURE, "Tensor.shape", "input"),
    (measure.dim, Kind.MEASURE, "Tensor.dim Tensor.ndim Tensor.ndimension", "input"),
    (measure.numel, Kind.MEASURE, "Tensor.numel Tensor.nelement torch.numel", "input"),
    (measure.length, Kind.MEASURE, "Tensor.__len__", "input"),
    (measure.value, Kind.MEASURE, "Tensor.item Tensor.tolist", "input"),
)

_CONTRACT: tuple[Row, ...] = (
    (matmul.matmul, Kind.CONTRACT, "Tensor.matmul torch.matmul torch.linalg.matmul", "input, other"),
    (matmul.bmm, Kind.CONTRACT, "Tensor.bmm torch.bmm", "input, mat2"),
    (matmul.mm, Kind.CONTRACT, "Tensor.mm torch.mm", "input, mat2"),
    (matmul.mv, Kind.CONTRACT, "Tensor.mv torch.mv", "input, vec"),
    (matmul.dot, Kind.CONTRACT, "Tensor.dot torch.dot", "input, tensor"),
    (matmul.outer, Kind.CONTRACT, "Tensor.outer torch.outer torch.ger", "input, vec2"),
    (matmul.addmm, Kind.CONTRACT, "Tensor.addmm torch.addmm", "input, mat1, mat2"),
    (matmul.baddbmm, Kind.CONTRACT, "Tensor.baddbmm torch.baddbmm", "input, batch1, batch2"),
    (matmul.einsum, Kind.CONTRACT, "torch.einsum", "equation, *operands"),
)

_GATHER: tuple[Row, ...] = (
    (gather.index_select, Kind.SELECT, "Tensor.index_select torch.index_select", "input, dim, index"),
    (gather.gather, Kind.SELECT, "Tensor.gather torch.gather", "input, dim, index"),
    (gather.take_along_dim, Kind.SELECT, "Tensor.take_along_dim torch.take_along_dim", "input, indices, dim=None"),
    (gather.masked_select, Kind.SELECT, "Tensor.masked_select torch.masked_select", "input, mask"),
    (gather.nonzero, Kind.SELECT, "Tensor.nonzero torch.nonzero", "input, *, as_tuple=False"),
    (gather.diagonal, Kind.SELECT, "Tensor.diagonal torch.diagonal", "input, offset=0, dim1=0, dim2=1"),
    (gather.unfold, Kind.SELECT, "Tensor.unfold", "input, dim, size, step"),
    (
        gather.written,
        Kind.ELEMENTWISE,
        _both("scatter scatter_add scatter_reduce index_fill index_add index_copy"),
        "input, dim, *rest=None",
    ),
    (gather.repacked, Kind.ELEMENTWISE, _both("tril triu"), "input, diagonal=0"),
    (gather.repacked, Kind.ELEMENTWISE, _both("masked_scatter index_put"), "input, *rest=None"),
)

_REDUCE: tuple[Row, ...] = (
    (
        reduce.total,
        Kind.REDUCE,
        _both("sum mean prod amax amin nansum nanmean logsumexp count_nonzero quantile nanmedian"),
        "input, dim=None, keepdim=False",
    ),
    (reduce.spread, Kind.REDUCE, _both("std var"), "input, dim=None, unbiased=True, keepdim=False"),
    (reduce.norm, Kind.REDUCE, _both("norm") + " torch.linalg.norm", "input, p=None, dim=None, keepdim=False"),
    (reduce.norm, Kind.REDUCE, "torch.linalg.vector_norm", "input, p=2, dim=None, keepdim=False"),
    (reduce.truth, Kind.REDUCE, _both("all any"), "input, dim=None, keepdim=False"),
    (reduce.position, Kind.REDUCE, _both("argmax argmin"), "input, dim=None, keepdim=False"),
    (reduce.extreme, Kind.REDUCE, _both("max min"), "input, dim=None, keepdim=False"),
    (reduce.middle, Kind.REDUCE, _both("median"), "input, dim=None, keepdim=False"),
    (reduce.middle, Kind.REDUCE, _both("mode"), "input, dim=-1, keepdim=False"),
    (reduce.kthvalue, Kind.REDUCE, _both("kthvalue"), "input, k, dim=-1, keepdim=False"),
    (reduce.topk, Kind.SELECT, _both("topk"), "input, k, dim=-1, largest=True, sorted=True"),
    (reduce.ordered, Kind.SELECT, _both("sort"), "input, dim=-1, descending=False, *, stable=False"),
    (reduce.ordered, Kind.ELEMENTWISE, _both("cummax cummin"), "input, dim"),
    (reduce.argsort, Kind.SELECT, _both("argsort"), "input, dim=-1, descending=False, stable=False"),
    (reduce.along, Kind.ELEMENTWISE, _both("cumsum cumprod logcumsumexp"), "input, dim, *, dtype=None"),
    (
        reduce.unique,
        Kind.SELECT,
        _both("unique"),
        "input, sorted=True, return_inverse=False, return_counts=False, dim=None",
    ),
)

_ACTIVATIONS = (
    "relu relu6 elu selu celu gelu silu mish hardtanh hardswish hardsigmoid leaky_relu logsigmoid softplus softsign"
    " tanhshrink softshrink hardshrink threshold prelu rrelu sigmoid tanh dropout alpha_dropout feature_alpha_dropout"
    " dropout1d dropout2d dropout3d layer_norm batch_norm instance_norm rms_norm local_response_norm"
)
_UNARY = (
    "abs absolute acos acosh asin asinh atan atanh ceil conj cos cosh deg2rad digamma erf erfc erfinv exp exp2 expm1 floor"
    " frac i0 lgamma log log10 log1p log2 neg negative positive rad2deg reciprocal relu round rsqrt sigmoid sign sgn sin"
    " sinc sinh sqrt square tan tanh trunc fix logit nan_to_num bernoulli prelu hardshrink renorm"
    " clamp_min clamp_max"
)
_ELEMENTWISE: tuple[Row, ...] = (
    (elementwise.same, Kind.ELEMENTWISE, _both(_UNARY), "input, *rest=None"),
    (elementwise.same, Kind.ELEMENTWISE, _spelled("torch", "dropout selu celu rrelu"), "input, *rest=None"),
    (elementwise.same, Kind.ELEMENTWISE, _spelled("torch.nn.functional", _ACTIVATIONS), "input, *rest=None"),
    (elementwise.same, Kind.ELEMENTWISE, _spelled("torch.special", "expit expm1 erf log1p logit"), "input, *rest=None"),
    (elementwise.test, Kind.ELEMENTWISE, _both("isnan isinf isfinite logical_not"), "input"),
    (reduce.along, Kind.ELEMENTWISE, _both("softmax log_softmax"), "input, dim, dtype=None"),
    (
        reduce.along,
        Kind.ELEMENTWISE,
        _spelled("torch.nn.functional", "softmax log_softmax softmin"),
        "input, dim=None, _stacklevel=3, dtype=None",
    ),
    (
        reduce.along,
        Kind.ELEMENTWISE,
        "torch.nn.functional.gumbel_softmax",
        "input, tau=1, hard=False, eps=0.0, dim=-1",
    ),
    (reduce.along, Kind.ELEMENTWISE, "torch.nn.functional.normalize", "input, p=2.0, dim=1, eps=0.0"),
    (
        elementwise.two,
        Kind.ELEMENTWISE,
        _both(
            "add sub subtract mul multiply floor_divide remainder fmod pow maximum minimum fmax fmin bitwise_and bitwise_or"
            " bitwise_xor float_power logaddexp"
        ),
        "input, other, *rest=None",
    ),
    (
        elementwise.quotient,
        Kind.ELEMENTWISE,
        _both("div divide true_divide atan2 arctan2 hypot copysign xlogy"),
        "input, other, *rest=None",
    ),
    (
        elementwise.compared,
        Kind.ELEMENTWISE,
        _both(
            "eq ne lt le gt ge greater less greater_equal less_equal not_equal logical_and logical_or logical_xor isclose"
        ),
        "input, other",
    ),
    (elementwise.three, Kind.ELEMENTWISE, _both("clamp clip"), "input, min=None, max=None"),
    (elementwise.three, Kind.ELEMENTWISE, _both("lerp"), "input, end, weight"),
    (elementwise.three, Kind.ELEMENTWISE, _both("addcmul addcdiv"), "input, tensor1, tensor2, *, value=1"),
    (elementwise.where, Kind.ELEMENTWISE, "torch.where numpy.where", "condition, input=None, other=None"),
    (elementwise.method_where, Kind.ELEMENTWISE, "Tensor.where", "input, condition, other"),
    (elementwise.masked_fill, Kind.ELEMENTWISE, _both("masked_fill"), "input, mask, value"),
    (
        functional.no_tensor,
        Kind.MEASURE,
        "Tensor.equal Tensor.allclose torch.equal torch.allclose",
        "input, other, *rest=None",
    ),
)

_CASTS: tuple[Row, ...] = (
    (casts.as_float, Kind.ELEMENTWISE, _spelled("Tensor", "float double half bfloat16"), "input, *rest=None"),
    (casts.as_int, Kind.ELEMENTWISE, _spelled("Tensor", "long int short byte char"), "input, *rest=None"),
    (casts.as_bool, Kind.ELEMENTWISE, "Tensor.bool", "input, *rest=None"),
    (casts.to, Kind.ELEMENTWISE, "Tensor.to", "input, *target=None, dtype=None"),
    (casts.of_type, Kind.ELEMENTWISE, "Tensor.type Tensor.astype", "input, dtype=None"),
    (casts.type_as, Kind.ELEMENTWISE, "Tensor.type_as", "input, other"),
    (
        casts.shared,
        Kind.ELEMENTWISE,
        _spelled(
            "Tensor", "detach data cpu cuda numpy grad pin_memory share_memory requires_grad fill zero normal uniform"
        )
        + " "
        + _spelled("Tensor", "random exponential copy resolve_conj resolve_neg real")
        + " torch.autograd.Variable torch.nn.Parameter torch.nn.parameter.Parameter torch.detach",
        "input, *rest=None",
    ),
    (casts.contiguous, Kind.ELEMENTWISE, "Tensor.contiguous numpy.ascontiguousarray", "input, *rest=None"),
    (casts.clone, Kind.ELEMENTWISE, "Tensor.clone torch.clone numpy.copy torch.from_numpy", "input, *rest=None"),
)

_LIKE = "zeros_like ones_like rand_like randn_like empty_like full_like randint_like"
_CREATE: tuple[Row, ...] = (
    (create.filled, Kind.CREATE, _spelled("torch", "zeros ones rand randn empty"), "*size=None, dtype=None"),
    (create.full, Kind.CREATE, "torch.full", "size, fill_value, *, dtype=None"),
    (create.randint, Kind.CREATE, "torch.randint", "low, high=None, size=None, *, dtype=None"),
    (create.arange, Kind.CREATE, "torch.arange numpy.arange", "start, end=None, step=1, dtype=None"),
    (create.arange_closed, Kind.CREATE, "torch.range", "start, end=None, step=1, dtype=None"),
    (
        create.linspace,
        Kind.CREATE,
        "torch.linspace torch.logspace numpy.linspace numpy.logspace",
        "start, end, steps=50, *, dtype=None",
    ),
    (create.eye, Kind.CREATE, "torch.eye numpy.eye numpy.identity", "n, m=None, *, dtype=None"),
    (create.randperm, Kind.CREATE, "torch.randperm", "n"),
    (create.normal, Kind.CREATE, "torch.normal", "mean, std=None, size=None"),
    (
        create.from_data,
        Kind.CREATE,
        "torch.tensor torch.as_tensor torch.asarray",
        "data, dtype=None",
    ),
    (create.from_arrays, Kind.CREATE, "numpy.array numpy.asarray", "data, dtype=None"),
    (
        create.float_tensor,
        Kind.CREATE,
        "torch.Tensor torch.FloatTensor torch.DoubleTensor torch.cuda.FloatTensor",
        "*data",
    ),
    (create.int_tensor, Kind.CREATE, "torch.LongTensor torch.IntTensor torch.cuda.LongTensor", "*data"),
    (create.bool_tensor, Kind.CREATE, "torch.BoolTensor torch.cuda.BoolTensor", "*data"),
    (
        create.alike,
        Kind.CREATE,
        _spelled("torch", _LIKE) + " numpy.zeros_like numpy.ones_like numpy.empty_like numpy.full_like",
        "input, *rest=None, dtype=None",
    ),
    (
        create.new_filled,
        Kind.CREATE,
        _spelled("Tensor", "new_zeros new_ones new_empty"),
        "input, *size=None, dtype=None",
    ),
    (create.new, Kind.CREATE, "Tensor.new", "input, *data=None"),
    (create.new_full, Kind.CREATE, "Tensor.new_full", "input, size, fill_value, *, dtype=None"),
    (create.new_tensor, Kind.CREATE, "Tensor.new_tensor", "input, data, *, dtype=None"),
)

_FUNCTIONAL: tuple[Row, ...] = (
    (functional.one_hot, Kind.SELECT, "torch.nn.functional.one_hot", "input, num_classes=-1"),
    (functional.pad, Kind.COMBINE, "torch.nn.functional.pad", "input, pad, mode='constant', value=None"),
    (functional.linear, Kind.CONTRACT, "torch.nn.functional.linear", "input, weight, bias=None"),
    (functional.embedding, Kind.SELECT, "torch.nn.functional.embedding", "input, weight, *rest=None"),
    (functional.glu, Kind.SELECT, "torch.nn.functional.glu", "input, dim=-1"),
    (
        functional.similarity,
        Kind.REDUCE,
        "torch.nn.functional.cosine_similarity torch.cosine_similarity",
        "x1, x2, dim=1, eps=0.0",
    ),
    (
        functional.pairwise_distance,
        Kind.REDUCE,
        "torch.nn.functional.pairwise_distance torch.pairwise_distance",
        "x1, x2, p=2.0, eps=0.0, keepdim=False",
    ),
    (
        functional.attention,
        Kind.CONTRACT,
        "torch.nn.functional.scaled_dot_product_attention",
        "query, key, value, *rest=None",
    ),
)


_NUMPY: tuple[Row, ...] = (
    (create.filled, Kind.CREATE, "numpy.zeros numpy.ones numpy.empty", "size, dtype=None"),
    (create.full, Kind.CREATE, "numpy.full", "size, fill_value, dtype=None"),
    (create.filled, Kind.CREATE, _spelled(_OLD_GENERATOR, "rand randn"), "*size=None"),
    (create.filled, Kind.CREATE, _spelled(_OLD_GENERATOR, "random_sample"), "size=None"),
    (create.filled, Kind.CREATE, _spelled(_GENERATORS, "random standard_normal"), "size=None"),
    (
        create.random_sized,
        Kind.CREATE,
        _spelled(_GENERATORS, "normal uniform laplace gamma beta"),
        "low=None, high=None, size=None",
    ),
    (create.random_scaled, Kind.CREATE, _spelled(_GENERATORS, "exponential poisson"), "scale=None, size=None"),
    (create.numpy_randint, Kind.CREATE, _spelled(_OLD_GENERATOR, "randint"), "low, high=None, size=None, *rest=None"),
    (create.numpy_randint, Kind.CREATE, f"{_GENERATOR}.integers", "low, high=None, size=None, *rest=None"),
    (reshape.reshape, Kind.RESHAPE, "numpy.reshape", "input, shape"),
    (reshape.ravel, Kind.RESHAPE, "numpy.ravel", "input"),
    (reshape.unsqueeze, Kind.RESHAPE, "numpy.expand_dims", "input, dim"),
    (reshape.squeeze, Kind.RESHAPE, "numpy.squeeze", "input, dim=None"),
    (expand.tile, Kind.RESHAPE, "numpy.tile", "input, dims"),
    (expand.repeat_interleave, Kind.RESHAPE, "numpy.repeat", "input, repeats, dim=None"),
    (expand.broadcast_to, Kind.RESHAPE, "numpy.broadcast_to", "input, shape"),
    (reorder.numpy_transpose, Kind.REORDER, "numpy.transpose", "input, axes=None"),
    (reorder.transpose, Kind.REORDER, "numpy.swapaxes", "input, dim0, dim1"),
    (reorder.movedim, Kind.REORDER, "numpy.moveaxis", "input, source, destination"),
    (combine.cat, Kind.COMBINE, "numpy.concatenate", "tensors, dim=0"),
    (combine.stack, Kind.COMBINE, "numpy.stack", "tensors, dim=0"),
    (combine.hstack, Kind.COMBINE, "numpy.hstack", "tensors"),
    (combine.vstack, Kind.COMBINE, "numpy.vstack", "tensors"),
    (
        reduce.numpy_total,
        Kind.REDUCE,
        _spelled("numpy", "sum mean prod std var max min amax amin"),
        "input, dim=None, keepdim=False",
    ),
    (reduce.running, Kind.ELEMENTWISE, "numpy.cumsum numpy.cumprod", "input, dim=None, *rest=None"),
    (reduce.position, Kind.REDUCE, "numpy.argmax numpy.argmin", "input, dim=None, keepdim=False"),
    (
        elementwise.same,
        Kind.ELEMENTWISE,
        _spelled("numpy", "abs exp log sqrt sin cos tanh square float32 float64"),
        "input, *rest=None",
    ),
    (
        elementwise.two,
        Kind.ELEMENTWISE,
        _spelled("numpy", "add subtract multiply power maximum minimum"),
        "input, other",
    ),
    (elementwise.quotient, Kind.ELEMENTWISE, "numpy.divide", "input, other"),
    (matmul.matmul, Kind.CONTRACT, "numpy.matmul", "input, other"),
)

_EINOPS: tuple[Row, ...] = (
    (einops.rearrange, Kind.REORDER, "einops.rearrange", "tensor, pattern, **sizes"),
    (einops.reduce, Kind.REDUCE, "einops.reduce", "tensor, pattern, reduction, **sizes"),
    (einops.repeat, Kind.RESHAPE, "einops.repeat", "tensor, pattern, **sizes"),
)

_ROWS: tuple[Row, ...] = (
    *_REORDER,
    *_RESHAPE,
    *_COMBINE,
    *_SELECT,
    *_GATHER,
    *_REDUCE,
    *_ELEMENTWISE,
    *_CASTS,
    *_CREATE,
    *_FUNCTIONAL,
    *_MEASURE,
    *_CONTRACT,
    *_NUMPY,
    *_EINOPS,
)

_BY_PATH: dict[str, Row] = {path: row for row in _ROWS for path in row[2].split()}


@cache
def find(path: str) -> Operation | None:
    """The operation of a path, or None. ``Tensor.relu_`` is ``Tensor.relu`` in place."""
    row = _BY_PATH.get(path)
    if row is not None:
        rule, kind, _, signature = row
        return Operation(path, kind, parameters(signature), _applying(rule, path, signature))
    if path.endswith("_") and not path.endswith("__"):
        found = find(path[:-1])
        return None if found is None else _in_place(found)
    return None


def _in_place(operation: Operation) -> Operation:
    """The variant that writes over its first operand: what works element by element leaves its axes as they are."""
    changed = operation.in_place()
    if operation.kind is not Kind.ELEMENTWISE:
        return changed

    def apply(bound: Mapping[str, Operand]) -> Outcome:
        outcome = operation.apply(bound)
        written = bound.get("input")
        return replace(outcome, result=written) if isinstance(written, Shape) else outcome

    return replace(changed, apply=apply)


def paths() -> frozenset[str]:
    """Every path that `find` answers to, without the in-place variants."""
    return frozenset(_BY_PATH)


def _applying(rule: Rule, path: str, signature: str) -> Callable[[Mapping[str, Operand]], Outcome]:
    """The rule on bound arguments. A first operand `input` is a tensor by the time the rule sees it."""
    is_function = not path.startswith("Tensor.")

    def apply(bound: Mapping[str, Operand]) -> Outcome:
        return rule(**bound)

    def apply_on_tensor(bound: Mapping[str, Operand]) -> Outcome:
        match bound["input"]:
            case Shape():
                return rule(**bound)
            case Unknown():
                return Outcome(Shape.unknown() if is_function and not _makes_no_tensor(path) else UNKNOWN)
            case Packed():
                return Outcome(UNKNOWN, (wrong_type("input", "a packed sequence where a tensor is needed"),))
            case tuple() | Named() | None | str():
                return Outcome(UNKNOWN, (wrong_type("input", "not a tensor"),))
            case _:
                return Outcome(UNKNOWN)

    return apply_on_tensor if signature.split(",")[0] == "input" else apply


_SEQUENCES = frozenset({"torch.split", "torch.chunk", "torch.tensor_split", "torch.unbind", "torch.numel"})


def _makes_no_tensor(path: str) -> bool:
    """Whether a function's result is a number or a tuple, so that nothing is known of an unknown operand's."""
    return path in _SEQUENCES
