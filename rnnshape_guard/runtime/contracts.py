"""Contracts that a model states in the axes' own names: `Recurrent[...]` for a layer, `shaped` in the middle of a forward.

class Tagger(nn.Module):
    lstm: Recurrent[nn.LSTM, "batch time word -> batch time 2*hidden, 2*layers batch hidden"]

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(shaped(out, "batch time 2*hidden"))
"""

# No `from __future__ import annotations`: TorchScript reads the annotations of `shaped`.

import ast
import inspect
import sys
import threading
import typing
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType, FunctionType
from typing import Any

import torch
from torch import nn
from torch.jit import is_scripting, is_tracing  # type: ignore[attr-defined]
from torch.nn.utils.rnn import PackedSequence

from rnnshape_guard.runtime.annotations import ArrayForm, axes_of, refused
from rnnshape_guard.runtime.matching import Mismatch, Names
from rnnshape_guard.shapes.annotations import AxisSpec, NotationError, parse_contract

_CELLS = (nn.RNNCell, nn.LSTMCell, nn.GRUCell)
_LAYERS = (nn.RNN, nn.LSTM, nn.GRU, *_CELLS)


@dataclass(frozen=True)
class LayerContract:
    """What a recurrent layer takes and gives, in names: rows for input and initial states, for output and final states."""

    kind: type[nn.Module]
    text: str
    inputs: tuple[ArrayForm, ...]
    outputs: tuple[ArrayForm, ...]


class Recurrent:
    """The contract of a recurrent layer, as an annotation: ``lstm: Recurrent[nn.LSTM, "batch time word -> …"]``.

    Before the arrow stand the axes of the input and, after a comma, of the initial state; behind it those of the output
    and of the final state. One row for the states of an LSTM means both h_n and c_n. For a cell only states stand behind
    the arrow. Type checkers read it as the layer's class.

    >>> Recurrent[nn.LSTM, "batch time word - batch time hidden"]
    Traceback (most recent call last):
    ...
    rnnshape_guard.shapes.annotations.NotationError: Recurrent[nn.LSTM]: a contract has an arrow: write input axes -> output axes
        batch time word - batch time hidden
                                           ^
    """

    def __class_getitem__(cls, item: Any) -> Any:
        """`Annotated[layer, LayerContract]`. Raises NotationError or TypeError where the contract is written."""
        if not (isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], str)):
            raise TypeError('a contract is written Recurrent[nn.LSTM, "batch time word -> batch time hidden"]')
        kind, text = item
        if not (isinstance(kind, type) and issubclass(kind, _LAYERS)):
            raise TypeError(
                f"a contract is for RNN, LSTM, GRU or their cells, not for {getattr(kind, '__name__', kind)}"
            )
        return typing.Annotated[kind, _contract(kind, text)]


def _contract(kind: type[nn.Module], text: str) -> LayerContract:
    where = f"Recurrent[nn.{kind.__name__}]"
    try:
        contract = parse_contract(text)
        states = 2 if issubclass(kind, nn.LSTM | nn.LSTMCell) else 1
        is_cell = issubclass(kind, _CELLS)
        inputs = _forms(contract.inputs, 1 + states, states, "takes an input and a state")
        words = "gives its state" if is_cell else "gives an output and a state"
        outputs = _forms(contract.outputs, states if is_cell else 1 + states, states, words)
    except NotationError as problem:
        raise refused(text, where, problem) from None
    return LayerContract(kind, text, inputs, outputs)


def _forms(rows: tuple[tuple[AxisSpec, ...], ...], most: int, states: int, words: str) -> tuple[ArrayForm, ...]:
    """Rows as forms; where an LSTM's states share one row, it stands for h and c alike."""
    if len(rows) > most:
        raise NotationError(f"a tensor too many: the layer {words}", rows[most][0].offset)
    forms = tuple(ArrayForm(" ".join(axis.text for axis in row), row) for row in rows)
    return (*forms, forms[-1]) if states == 2 and len(forms) == most - 1 else forms


# -- reading them off a class ----------------------------------------------------------------------------------------

_read: "weakref.WeakKeyDictionary[type, dict[str, LayerContract]]" = weakref.WeakKeyDictionary()


def contracts_of(cls: type) -> dict[str, LayerContract]:
    """The contracts of a class and those it inherits, by attribute. They are taken out of its annotations, because
    TorchScript would refuse them there."""
    found: dict[str, LayerContract] = {}
    for one in reversed(cls.__mro__):
        if "__annotations__" in vars(one) and one.__module__ != "torch.nn.modules.module":
            _read.setdefault(one, {}).update(_taken(one))
        found.update(_read.get(one, {}))
    return found


def _globals_of(cls: type) -> Mapping[str, Any]:
    """What the names in a class body mean: the globals of its methods, else its module's."""
    methods = (one for one in vars(cls).values() if isinstance(one, FunctionType))
    return next((one.__globals__ for one in methods), vars(sys.modules.get(cls.__module__, typing)))


def _taken(cls: type) -> dict[str, LayerContract]:
    annotations = cls.__annotations__
    names = _globals_of(cls)
    taken = {}
    for name, annotation in list(annotations.items()):
        if isinstance(annotation, str):
            if "Recurrent" not in annotation:
                continue
            try:
                annotation = eval(annotation, dict(names), dict(vars(cls)))
            except NameError as error:
                if names.get("Recurrent") is Recurrent and annotation.startswith("Recurrent["):
                    raise TypeError(f"the contract of `{cls.__name__}.{name}` can't be read: {error}") from None
                continue
        for one in getattr(annotation, "__metadata__", ()):
            if isinstance(one, LayerContract):
                taken[name] = one
                del annotations[name]
    return taken


# -- the names of the call that runs ---------------------------------------------------------------------------------


class _Running(threading.local):
    """The guarded calls that a thread is in the middle of: the function's code, its names, and whom to tell."""

    calls: "tuple[tuple[CodeType | None, Names, Callable[[Mismatch], None]], ...]" = ()


_running = _Running()


@contextmanager
def running(code: CodeType | None, names: Names, tell: Callable[[Mismatch], None]) -> Iterator[None]:
    """While this lasts, `shaped` in the function of that code compares with these names."""
    before = _running.calls
    _running.calls = (*before, (code, names, tell))
    try:
        yield
    finally:
        _running.calls = before


def depth() -> int:
    """How many guarded calls this thread is in the middle of."""
    return len(_running.calls)


def shaped(x: torch.Tensor, axes: str) -> torch.Tensor:
    """State a shape inside a forward: ``shaped(out, "batch time 2*hidden")`` returns `out`.

    In a guarded call the names are those of the call; elsewhere numbers, the count of axes and names written twice are
    compared. Raises ShapeContractError (RSG901), or NotationError for a string that can't be read. It steps aside while
    something compiles, traces or scripts.
    """
    if not is_scripting():
        _state(x, axes)
    return x


def _state(x: torch.Tensor, axes: str) -> None:
    if torch.compiler.is_compiling() or is_tracing():  # type: ignore[no-untyped-call]
        return
    frame = sys._getframe(2)
    inside = next((one for one in reversed(_running.calls) if one[0] is frame.f_code), None)
    if inside is None:
        if not _stands_alone(axes, getattr(x, "shape", None)):
            found = Names(scope=frame.f_locals).match_inside([(_form(axes), x, _written(frame), ())])
            if found is not None:
                _raise(found[0])
        return
    from rnnshape_guard.runtime.tracing import declare

    _, names, tell = inside
    names.scope = frame.f_locals
    declare(x, axes, text=f'shaped(…, "{axes}")')
    found = names.match_inside([(_form(axes), x, _written(frame), ())])
    if found is not None:
        tell(found[0])


@lru_cache(4096)
def _stands_alone(axes: str, shape: torch.Size | None) -> bool:
    """Whether a shape fits an axis string that is all there is."""
    if shape is None or "{" in axes:
        return False
    return Names().match_inside([(_form(axes), torch.empty(shape, device="meta"), "", ())]) is None


def _raise(mismatch: Mismatch) -> None:
    from rnnshape_guard.runtime.violations import violation

    raise violation(mismatch, names={})


def _written(frame: FrameType) -> str:
    """The first argument of the call of `shaped` as the user wrote it."""
    from rnnshape_guard.runtime.sources import Spots

    spot = Spots().of(frame)
    match spot.node:
        case ast.Call(args=[first, *_]):
            return spot.source.text(first)
        case _:
            return "x"


_forms_of: dict[str, ArrayForm] = {}


def _form(axes: str) -> ArrayForm:
    if axes not in _forms_of:
        _forms_of[axes] = ArrayForm(axes.strip(), axes_of(axes, "shaped"))
    return _forms_of[axes]


# -- contracts of inner layers, while a guarded call runs ------------------------------------------------------------


@contextmanager
def watching(
    module: nn.Module, contracts: Mapping[str, LayerContract], names: Names, tell: Callable[[Mismatch, str], None]
) -> Iterator[None]:
    """While this lasts, the layers of a module are held to their contracts, in this thread. `tell` gets the layer's name."""
    handles = []
    thread = threading.get_ident()
    for attribute, contract in contracts.items():
        for path, layer in _layers_at(module, attribute):
            if isinstance(layer, _LAYERS) and not isinstance(layer, contract.kind):
                words = f"`{path}` is an nn.{type(layer).__name__}, but its contract is for nn.{contract.kind.__name__}"
                tell(Mismatch(words), path)
            elif isinstance(layer, _LAYERS):
                watch = _Watch(path, contract, names, tell, thread)
                handles.append(layer.register_forward_pre_hook(watch.before, with_kwargs=True))
                handles.append(layer.register_forward_hook(watch.after, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _layers_at(module: nn.Module, attribute: str) -> Iterator[tuple[str, nn.Module]]:
    layer = getattr(module, attribute, None)
    if isinstance(layer, nn.ModuleList):
        for at, one in enumerate(layer):
            yield f"{attribute}.{at}", one
    elif isinstance(layer, nn.Module):
        yield attribute, layer


@dataclass(frozen=True)
class _Watch:
    """A layer's contract in one call of the model."""

    path: str
    contract: LayerContract
    names: Names
    tell: Callable[[Mismatch, str], None]
    thread: int

    def before(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if threading.get_ident() != self.thread:
            return
        from rnnshape_guard.runtime.tracing import declare

        given = inspect.signature(layer.forward).bind_partial(*args, **kwargs).arguments
        values = [("input", given.get("input"))]
        state = given.get("hx")
        values += (
            [("h_0", state[0]), ("c_0", state[1])] if isinstance(state, tuple) and len(state) == 2 else [("h_0", state)]
        )
        for (_, value), form in zip(values, self.contract.inputs, strict=False):
            if isinstance(value, torch.Tensor):
                declare(value, form.text, text=f'`{self.path}: Recurrent[nn.{self.contract.kind.__name__}, "…"]`')
        self._compare(layer, values, self.contract.inputs)

    def after(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        if threading.get_ident() != self.thread:
            return
        flat: list[tuple[str, Any]] = []
        if isinstance(layer, _CELLS):
            flat = list(zip(("h_1", "c_1"), result if isinstance(result, tuple) else (result,), strict=False))
        elif isinstance(result, tuple) and len(result) == 2:
            states = result[1] if isinstance(result[1], tuple) else (result[1],)
            flat = [("output", result[0]), *zip(("h_n", "c_n"), states, strict=False)]
        self._compare(layer, flat, self.contract.outputs)

    def _compare(self, layer: nn.Module, values: Sequence[tuple[str, Any]], forms: Sequence[ArrayForm]) -> None:
        tensors: list[tuple[ArrayForm, Any, str, tuple[int, ...]]] = []
        for (name, value), form in zip(values, forms, strict=False):
            if isinstance(value, PackedSequence):
                value = _as_padded(value, bool(getattr(layer, "batch_first", False)))
            if isinstance(value, torch.Tensor):
                of_layer = (0, -1) if name in ("h_0", "c_0", "h_n", "c_n") and value.dim() > 2 else (-1,)
                tensors.append((form, value, f"{self.path}: {name}", of_layer))
        found = self.names.match_inside(tensors)
        if found is not None:
            self.tell(found[0], self.path)


def _as_padded(packed: PackedSequence, batch_first: bool) -> torch.Tensor:
    """A tensor without memory that has the sizes of a packed sequence as if it were padded."""
    batch, time = int(packed.batch_sizes[0]), len(packed.batch_sizes)
    first = (batch, time) if batch_first else (time, batch)
    return torch.empty((*first, *packed.data.shape[1:]), device="meta", dtype=packed.data.dtype)
