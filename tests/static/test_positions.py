"""Places are rows and columns as an editor counts them; texts are what was written, in one line."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import libcst as cst
import pytest

from rnnshape_guard.findings import Position, Span
from rnnshape_guard.static import reading, records
from rnnshape_guard.static.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = """\
import torch

# 批: (B, T)
@decorate
class Encoder(nn.Module):  # header
    async def forward(self, x, *rest):
        s = "日本"; y = self.rnn(x)[0, ..., :H]  # after
        if x.dim() == 3:
            pass
        elif y:
            return (1 +  # why
                    2)
        for step in range(3): z = step
        while y: y
        with torch.no_grad() as g, h: yield y
        try:
            x = 1
        except Error:
            pass
        match q:
            case 1 | None: pass
\tdel x
""".replace("\tdel x\n", "")


def read(source: str) -> tuple[records.Module, Positions]:
    return reading.read("model.py", source, keeps_trees=True)


def every(value: Any) -> Iterator[records.Record]:
    if isinstance(value, tuple):
        for part in value:
            yield from every(part)
    elif isinstance(value, records.FunctionDef):
        yield value
        yield from every((value.comments, value.parameters, value.body))
    elif isinstance(value, records.Record):
        yield value
        for part in dataclasses.fields(value):
            if part.name != "at":
                yield from every(getattr(value, part.name))


def underlined(source: str, span: Span) -> str:
    """The first line that a span underlines."""
    line = source.splitlines()[span.start.row - 1]
    last = span.end.column - 1 if span.end.row == span.start.row else len(line)
    return line[span.start.column - 1 : last]


def test_every_record_underlines_what_it_is() -> None:
    module, places = read(SOURCE)
    shown = {(type(each).__name__, underlined(SOURCE, places.span(each.at))) for each in every(module.body)}
    assert {
        ("Import", "import torch"),
        ("Comment", "# 批: (B, T)"),
        ("Comment", "# after"),
        ("ClassDef", "Encoder"),
        ("Argument", "nn.Module"),
        ("FunctionDef", "forward"),
        ("Parameter", "x"),
        ("Parameter", "*rest"),
        ("Assign", 's = "日本"'),
        ("Assign", "y = self.rnn(x)[0, ..., :H]"),
        ("Subscript", "self.rnn(x)[0, ..., :H]"),
        ("SliceRange", ":H"),
        ("Constant", "..."),
        ("If", "if x.dim() == 3"),
        ("If", "elif y"),
        ("BinaryOperation", "1 +  # why"),
        ("For", "for step in range(3)"),
        ("While", "while y"),
        ("With", "with torch.no_grad() as g, h"),
        ("Try", "try"),
        ("Match", "match q"),
        ("Case", "case 1 | None"),
    } <= shown


def test_rows_and_columns_begin_at_one_and_count_characters() -> None:
    source = 's = "日本"; y = x\n'
    module, places = read(source)
    assert places.span(module.body[0].at) == Span("model.py", Position(1, 1), Position(1, 9))
    assert places.span(module.body[1].at) == Span("model.py", Position(1, 11), Position(1, 16))


def test_a_tab_is_one_column() -> None:
    module, places = read("if a:\n\tb\n")
    (found,) = module.body
    assert isinstance(found, records.If)
    assert places.span(found.body[0].at).start == Position(2, 2)


def test_a_span_over_several_lines_ends_where_the_expression_does() -> None:
    module, places = read("f(\n    a,\n)\n")
    assert places.span(module.body[0].at) == Span("model.py", Position(1, 1), Position(3, 2))


def test_a_file_as_a_whole_stands_at_its_first_character() -> None:
    module, places = read("\n\nb\n")
    assert places.span(module.at) == Span("model.py", Position(1, 1), Position(1, 1))


def test_no_place_is_computed_before_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = cst.metadata.MetadataWrapper.resolve

    def resolve(self: Any, provider: Any) -> Any:
        asked.append(1)
        return original(self, provider)

    monkeypatch.setattr(cst.metadata.MetadataWrapper, "resolve", resolve)
    module, places = read("a = f(x)\n")
    places.text(module.body[0].at)
    assert not asked
    places.span(module.body[0].at)
    places.span(module.body[0].at)
    assert asked == [1]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("x", "x"),
        ("self.encoder.rnn", "self.encoder.rnn"),
        ("self.rnn(x)[0]", "self.rnn(x)[0]"),
        ("f(a)  .b", "f(a) .b"),
        ("f(\n    a,   b\n)", "f(a, b)"),
        ("f(a,  # the first\n  '#b')", "f(a, '#b')"),
        ("2  *  hidden", "2 * hidden"),
    ],
)
def test_a_text_is_one_line_without_comments(code: str, text: str) -> None:
    module, places = read(f"y = {code}\n")
    (found,) = module.body
    assert isinstance(found, records.Assign)
    assert places.text(found.value.at) == text


def test_places_in_deep_nesting() -> None:
    module, places = read("+".join("a" * 501) + "\n")
    assert places.span(module.body[0].at).end == Position(1, 1002)
    assert len(places.text(module.body[0].at)) == 1001
