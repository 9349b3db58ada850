"""Attributes: what a dot reads from each kind of value."""

from __future__ import annotations

from typing import Final

from rnnshape_guard import ops
from rnnshape_guard.events import Value
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Packed
from rnnshape_guard.static import calls, expressions, functions, layer_calls, operations, records
from rnnshape_guard.static.joins import choose
from rnnshape_guard.static.run import MISSING, Run
from rnnshape_guard.static.values import (
    Anything,
    BoundName,
    Choice,
    ClassObject,
    DynamicLayer,
    External,
    FunctionObject,
    Instance,
    LayerObject,
    Method,
    ModuleObject,
    Opaque,
    Results,
    ShapeOf,
    SuperOf,
)

_OF_TENSORS_ONLY: Final = frozenset({"shape", "data", "T", "mT", "dtype", "device", "grad", "requires_grad", "ndim"})


def attribute(run: Run, holder: Anything, name: str, record: records.Record) -> Anything:
    """``holder.name``."""
    match holder:
        case External():
            return calls.external(f"{holder.path}.{name}")
        case ModuleObject():
            return holder.member(name)
        case Instance():
            return _of_instance(run, holder, name, record)
        case Value():
            return _of_tensor(run, holder, name, record)
        case ClassObject():
            found = holder.find(name)
            return holder_missing(holder, name) if found is None and not declares(holder, name) else found
        case LayerObject():
            return _of_layer(holder, name)
        case DynamicLayer():
            return choose(*(_of_layer(option, name) for option in holder.options))
        case SuperOf():
            return functions.super_method(holder, name)
        case Results():
            return holder.values[holder.names.index(name)] if name in holder.names else BoundName(holder, name)
        case Opaque():
            if holder.tensor is not None and (name in ("shape", "T", "mT") or ops.find(f"Tensor.{name}") is not None):
                return _of_tensor(run, holder.tensor, name, record)
            if name in ("shape", "ndim") and name not in holder.parts:
                return _of_tensor(run, supposed(run, holder), name, record)
            return holder.part(name, f"{holder.spelling}.{name}" if holder.spelling else name)
        case Choice():
            with run.doubting():
                options = [attribute(run, option, name, record) for option in holder.options if option is not None]
            return choose(*options) if options else Opaque(name)
        case tuple() if name in _OF_TENSORS_ONLY:
            return operations.refuse_attribute(run, holder, name, record)
        case Dim() | bool() | float() | None:
            return Opaque(name)
    return BoundName(holder, name)


def supposed(run: Run, value: Opaque) -> Value:
    """An unknown value used as a tensor, which it may turn out not to be."""
    tensor = value.as_tensor()
    run.doubtful.add(tensor.id)
    return tensor


def declares(holder: ClassObject, name: str) -> bool:
    """Whether a class or one of its bases in the program has a name."""
    return any(name in one.names for one in holder.line())


def holder_missing(holder: ClassObject, name: str) -> Anything:
    """A class attribute that is not written in the class: from a base elsewhere."""
    if name == "__name__":
        return holder.name
    return Opaque(f"{holder.name}.{name}", f"{holder.key}.{name}")


def _of_instance(run: Run, holder: Instance, name: str, record: records.Record) -> Anything:
    if name in holder.attributes:
        value = holder.attributes[name]
        return expressions.chosen(run, value) if type(value) is Choice else value
    if declares(holder.cls, name):
        found = holder.cls.find(name)
        if not isinstance(found, FunctionObject):
            return found
        if "property" in found.decorators or "cached_property" in found.decorators:
            return functions.call_function(run, found, (holder,), {}, record)
        if "staticmethod" in found.decorators:
            return found
        return Method(found, holder.cls if "classmethod" in found.decorators else holder)
    if holder.layer is not None:
        known = _of_layer(holder.layer, name)
        if not isinstance(known, BoundName):
            return known
    if name == "__class__":
        return holder.cls
    if name in functions.MODULE_METHODS:
        return BoundName(holder, name)
    return holder.opaque.part(name, f"{holder.opaque.spelling}.{name}")


def _of_layer(holder: LayerObject, name: str) -> Anything:
    spec = holder.layer.spec
    if name in ("weight", "bias") or name.startswith(("weight_", "bias_")):
        return layer_calls.parameter_of(holder, name)
    value = getattr(spec, name, MISSING)
    if isinstance(value, Dim | bool | int | tuple | str | float):
        return Dim.of(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return BoundName(holder, name)


def _of_tensor(run: Run, holder: Value, name: str, record: records.Record) -> Anything:
    shape = holder.shape
    if name == "shape":
        return ShapeOf(holder)
    if isinstance(shape, Packed):
        return _of_packed(holder, shape, name)
    match name:
        case "ndim":
            return operations.rank_of(run, holder, record)
        case "T" | "mT" | "H" | "mH":
            return operations.operate_tensor(run, "T" if name in "TH" else "mT", holder, record)
        case "data" | "real" | "grad":
            return holder
        case "device" | "dtype" | "is_cuda" | "requires_grad" | "layout":
            return Opaque(name)
        case "batch_sizes" | "sorted_indices" | "unsorted_indices" if holder.id in run.doubtful:
            return Opaque(name)
    return BoundName(holder, name)


def _of_packed(holder: Value, packed: Packed, name: str) -> Anything:
    if name == "data":
        return Value(Shape((Axis.new("steps"), *packed.features), True, packed.dtype))
    if name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        return Opaque(name)
    return BoundName(holder, name)
