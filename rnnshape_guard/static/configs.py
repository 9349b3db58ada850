"""Where numbers and data come from: argument parsers, namespaces, datasets and their loaders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rnnshape_guard import ops
from rnnshape_guard.events import COLLATED, Value
from rnnshape_guard.shapes.axes import Axis, Evidence, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.static import calls, functions, iteration, records
from rnnshape_guard.static.joins import join_all
from rnnshape_guard.static.operands import value_of
from rnnshape_guard.static.run import ModuleFrame, Run
from rnnshape_guard.static.values import (
    Anything,
    DictValue,
    External,
    FunctionObject,
    Instance,
    ListValue,
    Method,
    Opaque,
    Partial,
    Results,
)


def named_number(value: Anything, name: str) -> Anything:
    """A plain number that is given a name keeps it: `hidden=128` is a size called hidden that equals 128."""
    if not isinstance(value, Dim) or not name:
        return value
    number = value.literal
    if number is None or number < 2:
        return value
    return Dim.of(Symbol(name, value=value, positive=True))


# -- argparse ------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Parser:
    """An `argparse.ArgumentParser`, a group of one, or a parser that is used like one: names with their defaults."""

    options: dict[str, Anything] = field(default_factory=dict)

    def call(self, name: str, arguments: tuple[Anything, ...], keywords: Mapping[str, Anything]) -> Anything:
        """A method of the parser."""
        match name:
            case "add_argument":
                self._add(arguments, keywords)
                return Opaque()
            case "set_defaults":
                self.options.update({key: named_number(value, key) for key, value in keywords.items()})
                return None
            case "add_argument_group" | "add_mutually_exclusive_group":
                return self
            case "parse_args":
                return namespace(self.options)
            case "parse_known_args":
                return (namespace(self.options), Opaque())
        return Opaque()

    def _add(self, arguments: tuple[Anything, ...], keywords: Mapping[str, Anything]) -> None:
        words = [word for word in arguments if isinstance(word, str)]
        longest = next((word for word in words if word.startswith("--")), words[0] if words else "")
        name = keywords.get("dest") or longest.lstrip("-").replace("-", "_")
        if not isinstance(name, str) or not name:
            return
        action = keywords.get("action")
        if action in ("store_true", "store_false"):
            self.options[name] = Opaque(name, f"args.{name}", hint=action == "store_false")
        elif keywords.get("default") is not None:
            self.options[name] = named_number(keywords["default"], name)
        else:
            self.options[name] = Opaque(name, f"args.{name}")


def namespace(options: Mapping[str, Anything]) -> Opaque:
    """An object with these attributes, and perhaps others."""
    result = Opaque("args", "args")
    result.parts.update(options)
    return result


# -- data ----------------------------------------------------------------------------------------------------------

_FULL_BATCHES: Final = "a DataLoader stacks the samples along axis 0"


@dataclass(slots=True, eq=False)
class Loader:
    """A DataLoader over a dataset; iterating gives batches. `batch_size` is the size of every batch, None where the last
    one may be smaller; `record` is where it was built, in the file of `frame`. `collate` makes a batch of a list of
    samples; None for the default."""

    dataset: Anything
    record: records.Record
    frame: ModuleFrame
    batch_size: Dim | None = None
    collate: Anything = None


@dataclass(slots=True, eq=False)
class Tensors:
    """A TensorDataset."""

    tensors: tuple[Anything, ...]


def batch_of(run: Run, loader: Loader) -> Anything:
    """One batch of a loader: every sample's tensors behind a batch axis, or what a function makes of the samples."""
    with run.inside(loader.frame):
        if loader.collate is not None:
            axis = _batch(run, loader.batch_size, "a DataLoader hands over a list of samples", loader.record)
            samples = ListValue([], _sample(run, loader), axis.size)
            return calls.call_value(run, loader.collate, (samples,), {}, loader.record)
        words = COLLATED if loader.batch_size is None else _FULL_BATCHES
        return _collated(_sample(run, loader), _batch(run, loader.batch_size, words, loader.record))


def _batch(run: Run, size: Dim | None, words: str, record: records.Record) -> Axis:
    axis = Axis.new("batch", size)
    axis.atoms[0].learn(Evidence(Role.BATCH, Strength.STRUCTURAL, words, run.place(record)))
    return axis


def drawn(run: Run, population: Anything, size: Anything, record: records.Record) -> ListValue:
    """``random.sample(population, size)``. Records that are drawn stand in no order: they are a batch and no sequence, as
    numbers or single tensors may well be."""
    steps = iteration.steps_of(run, population, record, 64)
    options = [*steps.known, *(one for one in (steps.first, steps.repeated) if one is not None)]
    length = size if isinstance(size, Dim) else None
    if options and all(isinstance(one, tuple | Results | DictValue | Instance) for one in options):
        length = _batch(run, length, "drawn in no order", record).size
    return ListValue([], join_all(options) if options else Opaque(), length)


def _sample(run: Run, loader: Loader) -> Anything:
    match loader.dataset:
        case Tensors(tensors):
            return tuple(_row(tensor) for tensor in tensors)
        case Instance() as instance:
            method = instance.cls.find("__getitem__")
            if isinstance(method, FunctionObject):
                index = Dim.of(Symbol("index"))
                return functions.call_function(run, method, (instance, index), {}, loader.record)
        case Value() as value:
            return _row(value)
        case ListValue() as items if items.items:
            return items.items[0]
        case ListValue() as items if items.tail is not None:
            return items.tail
    return Opaque()


def _row(tensor: Anything) -> Anything:
    if isinstance(tensor, Opaque):
        tensor = tensor.as_tensor()
    if not isinstance(tensor, Value) or not isinstance(tensor.shape, Shape):
        return Opaque()
    return value_of(ops.index(tensor.shape, (Dim.of(Symbol("index")),)).result, -1)


def _collated(sample: Anything, batch: Axis) -> Anything:
    match sample:
        case Value(shape=Shape() as shape):
            return Value(Shape((batch, *shape.parts), True, shape.dtype))
        case tuple():
            return tuple(_collated(part, batch) for part in sample)
        case Results():
            return tuple(_collated(part, batch) for part in sample.values)
        case ListValue() if sample.is_known:
            return ListValue([_collated(part, batch) for part in sample.items])
        case DictValue():
            return DictValue({key: _collated(part, batch) for key, part in sample.items.items()}, sample.is_open)
        case Dim() | float() | bool():
            return Value(Shape((batch,), True, "float" if isinstance(sample, float) else "int"))
    return Opaque()


def load_data(
    run: Run, arguments: tuple[Anything, ...], keywords: Mapping[str, Any], record: records.Record
) -> Anything:
    """`DataLoader(dataset, …)`; with a collate function that is not the program's own, nothing is known of a batch."""
    dataset = arguments[0] if arguments else keywords.get("dataset")
    if dataset is None or "batch_sampler" in keywords:
        return Opaque()
    collate = keywords.get("collate_fn")
    if isinstance(collate, External) and collate.path.endswith(".default_collate"):
        collate = None
    if not isinstance(collate, FunctionObject | Method | Instance | Partial | None):
        return Opaque()
    if "batch_size" in keywords and keywords["batch_size"] is None:
        return Opaque()
    if not isinstance(dataset, Tensors | Instance | Value | ListValue):
        return Opaque()
    batch_size = arguments[1] if len(arguments) > 1 else keywords.get("batch_size", Dim.of(1))
    is_whole = keywords.get("drop_last") is True or _divides(batch_size, dataset)
    return Loader(dataset, record, run.frame, batch_size if is_whole and isinstance(batch_size, Dim) else None, collate)


def _divides(batch_size: Anything, dataset: Anything) -> bool:
    """Whether all batches are surely of one size."""
    number = batch_size.value if isinstance(batch_size, Dim) else None
    if number is None or number < 2:
        return number == 1
    first = dataset.tensors[0] if isinstance(dataset, Tensors) and dataset.tensors else dataset
    axis = first.shape.axis(0) if isinstance(first, Value) and isinstance(first.shape, Shape) else None
    count = axis.size.value if axis is not None else None
    return count is not None and count % number == 0
