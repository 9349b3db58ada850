"""A file read in parts says what it says as a whole, in the same places; what nobody asks for is not parsed."""

from __future__ import annotations

import argparse
import ast
import collections
import dataclasses
import inspect
import textwrap
import typing
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rnnshape_guard.findings import Span
from rnnshape_guard.static import parts, reading, records
from rnnshape_guard.static.parsing import SyntaxProblem
from rnnshape_guard.static.positions import Positions

PROGRAMS = sorted((Path(__file__).parents[1] / "fuzz" / "programs").glob("*.py"))


def flat(value: Any, places: Positions) -> list[tuple[str, Span | None]]:
    """All of a record, in words, with where each part of it stands."""
    if isinstance(value, tuple):
        return [one for part in value for one in flat(part, places)]
    if isinstance(value, records.FunctionDef):
        value.contents  # noqa: B018 - reads the body
    if isinstance(value, records.Record | records.Body):
        fields = [field.name for field in dataclasses.fields(value) if field.name not in ("at", "words", "header")]
        span = places.span(value.at) if isinstance(value, records.Record) else None
        inner = [one for name in fields for one in flat(getattr(value, name), places)]
        return [(type(value).__name__, span), *inner]
    return [(repr(value), None)]


def both_ways(source: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[Any]]:
    in_parts, places = reading.read("model.py", source)
    found = flat(in_parts, places)
    with monkeypatch.context() as whole:
        whole.setattr(reading, "cut", lambda text: parts.Part(text, range(1, 10_000)))
        module, places = reading.read("model.py", source, keeps_trees=True)
        return found, flat(module, places)


@pytest.mark.parametrize(
    "module", [argparse, dataclasses, typing, inspect, ast, textwrap, collections], ids=lambda it: it.__name__
)
def test_the_standard_library(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    source = inspect.getsource(module)
    assert len(parts.cut(source).bodies) > 5
    found, wanted = both_ways(source, monkeypatch)
    assert found == wanted


@pytest.mark.parametrize("path", PROGRAMS[::5], ids=lambda it: it.stem)
def test_recurrent_programs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, wanted = both_ways(path.read_text(encoding="utf-8"), monkeypatch)
    assert found == wanted


BODY = "    a = 1\n    b = 2\n    c = 3\n    return a\n"

ODD = {
    "comments above the first statement": f"def f(x):  # (B, T)\n\n    # a: (T, B)\n{BODY}    # last\n\nb = f(1)\n",
    "comments to the left of the body": f"def f(x):\n# a: (T, B)\n{BODY}",
    "a header of several lines": f"def f(\n    x,  # (B, T)\n    # one more\n    y=(1,\n       2),\n) -> int:  # behind\n{BODY}",
    "a docstring of several lines": f'def f(x):\n    """x: (B, T)\n\n    and more\n    """\n{BODY}',
    "a body on the header's line": "def f(x): return (\n    1,\n    2,\n    3,\n    4)\n",
    "a body that begins on a header's last line": "def f(x,\n      y): return (\n    1,\n    2,\n    3,\n    4)\n",
    "a function that begins with a decorated one": f"def f(x):\n    @a(\n        b)\n    def g():\n        pass\n{BODY}",
    "several statements on the last line": f"def f(x):\n{BODY.rstrip()}; d = 4  # behind\nb = 1\n",
    "tabs": "class A:\n\tdef f(self):\n\t\tif a:\n\t\t\tb\n\t\tc\n\t\td\n\t\te\n\tg = 1\n",
    "lines that end as on Windows": f"def f(x):\n{BODY}g = 1\n".replace("\n", "\r\n"),
    "lines that end as on old machines": f"def f(x):\n{BODY}g = 1\n".replace("\n", "\r"),
    "no line end at the end": f"class A:\n  def f(x):\n{BODY.replace('    ', '      ')}".rstrip(),
    "a form feed": f"\x0cdef f(x):\n{BODY}\x0c\ndef g(x):\n{BODY}",
    "wide characters": f"名 = 'ü'\ndef f(x):\n    s = '日本'; t = x\n{BODY}",
    "methods under conditions": f"class A:\n  if a:\n    def f(self):\n{textwrap.indent(BODY, '  ')}  else:\n    x = 1\n",
    "a coroutine": f"async def f(x):\n    await a\n    async with b: pass\n{BODY}",
    "strings that look like code": f"def f(x):\n    s = '''\n# no comment\ndef g():\n    pass\n'''\n{BODY}",
    "a name like the mark": f"_body_left_out_0 = 1\ndef f(x):\n{BODY}",
    "lines joined with a backslash": "def f(x, \\\n      y):\n    return x + \\\n        1 + \\\n        2 + \\\n        3\nb = 2\n",
}


@pytest.mark.parametrize("source", ODD.values(), ids=ODD.keys())
def test_odd_layouts(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, wanted = both_ways(source, monkeypatch)
    assert found == wanted


def test_a_body_is_parsed_when_it_is_first_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    original = reading.parse
    monkeypatch.setattr(reading, "parse", lambda text: parsed.append(text) or original(text))  # type: ignore[func-returns-value]
    module, places = reading.read("model.py", f"def f(x):\n{BODY}\n\ndef g(x):\n{BODY.replace('a', 'z')}")
    first, second = module.body
    assert isinstance(first, records.FunctionDef)
    assert isinstance(second, records.FunctionDef)
    assert len(parsed) == 1
    assert "z" in second.words
    assert "z" not in first.words
    assert len(parsed) == 1
    second.body  # noqa: B018
    second.docstring  # noqa: B018
    assert len(parsed) == 2
    assert "def f(x): a = 1 b = 2 c = 3 return a" in places.text(first.at)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("self.h = x", {"h"}), ("self.h, c = x", {"h"}), ("c = self.h = x", {"h"}), ("(self.h, self.c) = x", {"h", "c"}),
        ("self.h += x", {"h"}), ("self.h: Tensor = x", {"h"}), ("self.h: Tensor", {"h"}), ("y = self.h", set()),
        ("y = self.f(x, dim=1)", set()), ("if self.h == x: pass", set()),
    ],
)  # fmt: skip
def test_what_a_body_that_is_not_read_may_assign(line: str, kept: set[str]) -> None:
    """It is never less than what it does assign."""
    module, _ = reading.read("model.py", f"def f(self, x):\n    {line}\n{BODY}")
    (function,) = module.body
    assert isinstance(function, records.FunctionDef)
    assert function.may_assign("self") or not kept
    if line.startswith("y = "):
        assert not function.may_assign("self")


def test_a_syntax_error_stands_where_it_is() -> None:
    with pytest.raises(SyntaxProblem) as raised:
        reading.read("model.py", f"def f(x):\n{BODY}\n\nx = (1\n")
    assert raised.value.row == 8


def test_what_libcst_cant_read_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    module, _ = reading.read("model.py", f"def f(x):\n{BODY}")
    calls = count()

    def refuse(text: str) -> Any:
        next(calls)
        raise SyntaxProblem("no", 1, 1)

    monkeypatch.setattr(reading, "parse", refuse)
    (function,) = module.body
    assert isinstance(function, records.FunctionDef)
    assert [type(one) for one in function.body] == [records.Raise]
    assert next(calls) == 1
