"""Dataclasses and named tuples: classes whose objects are made of fields, and what `dataclasses` does with them."""

from __future__ import annotations

import json
from typing import Any, Final

from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.static import attributes, calls, configs, functions, records
from rnnshape_guard.static.run import MISSING, Run
from rnnshape_guard.static.values import (
    Anything,
    ClassObject,
    DictValue,
    FunctionObject,
    Instance,
    ListValue,
    Opaque,
)

_FIELDS: Final = "__fields__"


def declare(cls: ClassObject) -> None:
    """Note the fields that a class has: those of its bases, then those that its own body annotates."""
    own = (
        one.target.id
        for one in cls.record.body
        if isinstance(one, records.AnnotatedAssign) and isinstance(one.target, records.Name)
    )
    inherited = (name for base in reversed(list(cls.line())) for name in base.names.get(_FIELDS, ()))
    cls.names.setdefault(_FIELDS, tuple(dict.fromkeys((*inherited, *own))))


def of(cls: ClassObject) -> tuple[str, ...] | None:
    """The fields of a class; None if it is not made of fields."""
    found: tuple[str, ...] | None = cls.find(_FIELDS)
    return found


def fill(
    run: Run,
    instance: Instance,
    names: tuple[str, ...],
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    is_partial: bool,
) -> None:
    """Give a new object its fields, and let it see to what follows from them."""
    given = dict(zip(names, arguments, strict=False)) | keywords
    for name in names:
        if name in given:
            run.journal.put(instance.attributes, name, configs.named_number(given[name], name))
        elif is_partial:
            run.journal.put(instance.attributes, name, Opaque(name, f"{instance.cls.key}.{name}"))
    finish = instance.cls.find("__post_init__")
    if isinstance(finish, FunctionObject):
        functions.call_function(run, finish, (instance,), {}, record)


def call(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    is_partial: bool,
) -> Anything:
    """A function that reads or makes objects by their fields; MISSING for any other, and where nothing is known."""
    first = arguments[0] if arguments else None
    match path, first:
        case "dataclasses.field", None if "default" in keywords:
            return keywords["default"]
        case "dataclasses.field", None if "default_factory" in keywords:
            return calls.call_value(run, keywords["default_factory"], (), {}, record)
        case (("dataclasses.replace" | "copy.replace"), Instance()) if (names := of(first.cls)) is not None:
            return _replaced(run, first, names, keywords, record, is_partial)
        case "dataclasses.asdict", Instance() if (names := of(first.cls)) is not None:
            return _as_dict(run, first, names, record)
        case "builtins.vars", Instance():
            return _as_dict(run, first, (*first.attributes, *(of(first.cls) or ())), record, deep=False)
        case "builtins.vars", Opaque(tensor=None):
            return DictValue({name: value for name, value in first.parts.items() if isinstance(name, str)}, True)
        case "json.loads", str():
            return _read_json(first)
    return MISSING


def _replaced(
    run: Run,
    old: Instance,
    names: tuple[str, ...],
    changes: dict[str, Anything],
    record: records.Record,
    is_partial: bool,
) -> Instance:
    new = Instance(old.cls, old.opaque.spelling)
    kept = {} if is_partial else {name: value for name, value in old.attributes.items() if name in names}
    fill(run, new, names, (), kept | changes, record, is_partial)
    return new


def _as_dict(
    run: Run, holder: Instance, names: tuple[str, ...], record: records.Record, *, deep: bool = True
) -> DictValue:
    items: dict[Any, Anything] = {}
    for name in names:
        value = attributes.attribute(run, holder, name, record)
        inner = of(value.cls) if deep and isinstance(value, Instance) else None
        items[name] = value if inner is None else _as_dict(run, value, inner, record)
    return DictValue(items)


def _read_json(text: str) -> Anything:
    try:
        return _value(json.loads(text))
    except (ValueError, RecursionError):
        return MISSING


def _value(plain: Any) -> Anything:
    match plain:
        case dict():
            return DictValue({key: configs.named_number(_value(one), key) for key, one in plain.items()})
        case list():
            return ListValue([_value(one) for one in plain])
        case bool():
            return plain
        case int():
            return Dim.of(plain)
    return plain
