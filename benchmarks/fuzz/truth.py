"""What torch says of a program: whether it runs, and what its results depend on. Nothing of ours is asked.

A right program runs without a warning, keeps its samples apart, and looks ahead only where it may. A planted mistake is
one if it breaks the program, mixes samples, or makes the results depend on other steps, other weights or other sizes
than the right twin's. One that changes nothing that can be measured is none.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import warnings
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.fuzz.program import Input, Measured

SEED = 20
MOVED = 3e-6
"""Less is rounding: kernels for whole rows of eight and for the rest differ in the last bits."""

ABOUT_THE_MACHINE = "LSTM with projections is not supported with oneDNN"

Names = dict[str, Any]
Pattern = tuple[tuple[bool, ...], ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What was measured of one program. `crash` is what it raised, on which row of its text, and the words."""

    crash: str = ""
    crash_row: int = 0
    warned: str = ""
    shape: tuple[int, ...] = ()
    samples: Pattern = ()
    steps: Pattern = ()
    weights: frozenset[str] = frozenset()
    padding: bool = False
    alone: str = ""
    values: Tensor | None = field(default=None, compare=False)
    loss: float | None = field(default=None, compare=False)


def measure(source: str, measured: Measured, filename: str = "fuzzed.py") -> Behaviour:
    """Run a program, then a fresh model of it many times."""
    torch.set_warn_always(True)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                names = executed(source, filename)
                behaviour = _watched(names, measured)
        except Exception as raised:  # noqa: BLE001 - whatever a program raises is what is asked for
            return Behaviour(
                crash=f"{type(raised).__name__}: {str(raised).splitlines()[0] if str(raised) else ''}",
                crash_row=_row(raised, filename),
            )
        finally:
            torch.set_warn_always(False)
    said = [str(one.message) for one in heard if not str(one.message).startswith(ABOUT_THE_MACHINE)]
    values = {key: getattr(behaviour, key) for key in behaviour.__dataclass_fields__}
    return Behaviour(**(values | {"warned": said[0].splitlines()[0] if said else ""}))


def executed(source: str, filename: str) -> Names:
    """Run a program's text as a script; its names."""
    names: Names = {"__name__": "__main__"}
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    torch.manual_seed(SEED)
    exec(compile(source, filename, "exec"), names)
    return names


def _row(raised: BaseException, filename: str) -> int:
    row, trace = 0, raised.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            row = trace.tb_lineno
        trace = trace.tb_next
    return row


def _watched(names: Names, measured: Measured) -> Behaviour:
    model = _model(names, measured)
    inputs = {one.name: _values(one) for one in measured.inputs}
    if measured.lengths:
        inputs[_lengths_name(measured)] = torch.tensor(measured.lengths)
    base = _run(names, measured, model, inputs)
    given = measured.inputs[0]
    return Behaviour(
        shape=tuple(base.shape),
        samples=_dependence(names, measured, model, inputs, base, "batch"),
        steps=_dependence(names, measured, model, inputs, base, "time"),
        weights=_moved_weights(names, measured, model, inputs),
        padding=_reads_padding(names, measured, model, inputs, base),
        alone=_alone(names, measured, model, inputs) if given.axis("batch") is not None and measured.free_batch else "",
        values=base,
        loss=_loss(names),
    )


def _model(names: Names, measured: Measured) -> Any:
    torch.manual_seed(SEED)
    model = eval(measured.build, names)
    generator = torch.Generator().manual_seed(SEED)
    parts = model if isinstance(model, tuple) else (model,)
    with torch.no_grad():
        for part in parts:
            assert isinstance(part, nn.Module)
            part.eval()
            for parameter in part.parameters():
                parameter.copy_(torch.rand(parameter.shape, generator=generator) - 0.5)
    return model


def _values(one: Input) -> Tensor:
    generator = torch.Generator().manual_seed(SEED)
    if one.bound:
        return torch.randint(0, one.bound, one.sizes, generator=generator)
    return torch.randn(one.sizes, generator=generator)


def _lengths_name(measured: Measured) -> str:
    return measured.call.removesuffix(")").split(", ")[-1]


def _run(names: Names, measured: Measured, model: Any, inputs: dict[str, Tensor]) -> Tensor:
    torch.manual_seed(SEED)
    result = eval(measured.call, names | inputs | {"model": model})
    if not isinstance(result, Tensor):
        raise TypeError(f"the result is {type(result).__name__}, not a tensor")
    return result


def _other(tensor: Tensor, one: Input, axis: int, at: slice) -> Tensor:
    """The input with other values in part of one axis."""
    index = [slice(None)] * tensor.dim()
    index[axis] = at
    changed = tensor.clone()
    part = changed[tuple(index)]
    if one.bound:
        changed[tuple(index)] = (part + 1) % one.bound
    else:
        changed[tuple(index)] = torch.randn(part.shape, generator=torch.Generator().manual_seed(SEED + 1)) * 2
    return changed


def _dependence(
    names: Names, measured: Measured, model: Any, inputs: dict[str, Tensor], base: Tensor, role: Any
) -> Pattern:
    """Which part of the result (a row) moves with which part of the first input (a column), along batch or time."""
    given = measured.inputs[0]
    axis = given.axis(role) if given.axis(role) is not None or role == "batch" else given.steps
    out_axis = measured.batch if role == "batch" else measured.time
    if axis is None:
        return ()
    columns = []
    for at in range(given.sizes[axis]):
        changed = inputs | {given.name: _other(inputs[given.name], given, axis, slice(at, at + 1))}
        with torch.no_grad():
            moved = (_run(names, measured, model, changed) - base.detach()).abs()
        if out_axis is None or out_axis >= moved.dim():
            columns.append((bool(moved.max() > MOVED),))
        else:
            columns.append(
                tuple((moved.movedim(out_axis, 0).reshape(moved.shape[out_axis], -1).amax(1) > MOVED).tolist())
            )
    return tuple(zip(*columns, strict=True))


def _moved_weights(names: Names, measured: Measured, model: Any, inputs: dict[str, Tensor]) -> frozenset[str]:
    """The parameters that get a gradient from a random projection of the result."""
    parts = model if isinstance(model, tuple) else (model,)
    for part in parts:
        part.zero_grad()
    result = _run(names, measured, model, inputs)
    if result.requires_grad:
        weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(SEED))
        (result * weights).sum().backward()  # type: ignore[no-untyped-call]
    return frozenset(
        f"{number}.{name}"
        for number, part in enumerate(parts)
        for name, one in part.named_parameters()
        if one.grad is not None and bool((one.grad.abs() > 0).any())
    )


def _reads_padding(names: Names, measured: Measured, model: Any, inputs: dict[str, Tensor], base: Tensor) -> bool:
    """Whether values past a sequence's length change its own results within that length."""
    given = measured.inputs[0]
    time, batch = given.axis("time"), given.axis("batch")
    if not measured.lengths or time is None or batch is None:
        return False
    shorter = min(measured.lengths)
    sample = measured.lengths.index(shorter)
    if shorter == given.sizes[time]:
        return False
    index: list[Any] = [slice(None)] * len(given.sizes)
    index[time], index[batch] = slice(shorter, None), sample
    changed = inputs[given.name].clone()
    part = changed[tuple(index)]
    changed[tuple(index)] = (part + 1) % given.bound if given.bound else part + 3
    with torch.no_grad():
        moved = (_run(names, measured, model, inputs | {given.name: changed}) - base.detach()).abs()
    if measured.time is not None and moved.dim() > measured.time:
        moved = moved.movedim((measured.batch, measured.time), (0, 1))[sample, :shorter]
    return bool(moved.max() > MOVED)


def _alone(names: Names, measured: Measured, model: Any, inputs: dict[str, Tensor]) -> str:
    """What happens to a batch of one: nothing, or its exception, or the other rank that it gives."""
    changed = {}
    for one in measured.inputs:
        axis = one.axis("batch")
        changed[one.name] = inputs[one.name].narrow(axis, 0, 1) if axis is not None else inputs[one.name]
    if measured.lengths:
        changed[_lengths_name(measured)] = torch.tensor(measured.lengths[:1])
    try:
        with torch.no_grad():
            result = _run(names, measured, model, changed)
    except Exception as raised:  # noqa: BLE001
        return type(raised).__name__
    full = _run(names, measured, model, inputs)
    return "" if result.dim() == full.dim() else f"{full.dim()} axes become {result.dim()}"


def _loss(names: Names) -> float | None:
    loss = names.get("loss")
    return float(loss.detach()) if isinstance(loss, Tensor) and loss.numel() == 1 else None


def fault(behaviour: Behaviour, measured: Measured) -> str:
    """What is wrong with a program that ought to be right, in words; empty for a right one."""
    if behaviour.crash:
        return f"crash at row {behaviour.crash_row}: {behaviour.crash}"
    if behaviour.warned:
        return f"warns: {behaviour.warned}"
    if not _apart(behaviour.samples):
        return "samples are mixed"
    if measured.causal and any(later for row, steps in enumerate(behaviour.steps) for later in steps[row + 1 :]):
        return "looks ahead"
    if behaviour.steps and not all(any(row[at] for row in behaviour.steps) for at in range(len(behaviour.steps[0]))):
        return "a step changes nothing"
    if behaviour.padding:
        return "padding is read"
    if behaviour.alone:
        return f"a batch of one: {behaviour.alone}"
    return ""


def _apart(samples: Pattern) -> bool:
    return all(moved == (row == column) for row, line in enumerate(samples) for column, moved in enumerate(line))


def harm(faulty: Behaviour, right: Behaviour) -> str:
    """What a planted mistake does, in words; empty if nothing that can be measured, ``same`` if nothing at all."""
    if faulty.crash:
        return f"crash: {faulty.crash}"
    if faulty.warned != right.warned:
        return f"warns: {faulty.warned}"
    if faulty.shape != right.shape:
        if faulty.loss is not None and right.loss is not None and abs(faulty.loss - right.loss) <= 1e-6:
            return ""  # whoever reads the result makes nothing else of it
        return f"gives {faulty.shape}, not {right.shape}"
    if faulty.samples != right.samples:
        return "mixes samples"
    if faulty.steps != right.steps:
        return "depends on other steps"
    if faulty.weights != right.weights:
        return f"other weights learn: {', '.join(sorted(faulty.weights ^ right.weights))}"
    if faulty.padding != right.padding:
        return "reads padding"
    if faulty.alone != right.alone:
        return f"a batch of one: {faulty.alone}"
    if (
        faulty.values is not None
        and right.values is not None
        and not torch.allclose(faulty.values, right.values, atol=1e-6)
    ):
        return "other values"
    if faulty.loss is not None and right.loss is not None and abs(faulty.loss - right.loss) > 1e-6:
        return "another loss"
    return ""
