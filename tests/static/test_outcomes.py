"""What is kept of a judgement is read as it was written, and nothing else is read at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape_guard.findings import Diagnostic, Note, Position, Severity, Span
from rnnshape_guard.static.outcomes import (
    Depends,
    Kept,
    Lookup,
    Outcome,
    Trail,
    depends_from_json,
    depends_to_json,
    from_json,
    to_json,
)
from rnnshape_guard.static.verdicts import Judgement, Verdict

words = st.text(max_size=12) | st.just("dir/\udcff.py")  # a file name that is not UTF-8
positions = st.builds(Position, st.integers(1, 10**6), st.integers(1, 10**6))
spans = st.builds(Span, words, positions, positions)
notes = st.lists(st.builds(Note, words, st.none() | spans), max_size=3).map(tuple)
texts = dict.fromkeys(
    ("code", "name", "message", "primary", "expected", "found", "help", "condition", "url"),
    words,
)
diagnostics = st.builds(
    Diagnostic, severity=st.sampled_from(Severity), span=spans, labels=notes, evidence=notes, **texts
)
judgements = st.builds(
    Judgement,
    st.lists(st.builds(Verdict, diagnostics, st.booleans(), words), max_size=3).map(tuple),
    st.frozensets(words, max_size=3),
)
outcomes = st.builds(
    Outcome, st.lists(diagnostics, max_size=2).map(tuple), st.none() | judgements, st.booleans(), st.booleans()
)
lookups = st.builds(Lookup, words, st.integers(-1, 9), words, st.none() | words)
kept = st.builds(Kept, outcomes, words, st.lists(st.tuples(lookups, words), max_size=3).map(tuple))


@given(kept)
def test_what_is_kept_is_read_as_it_was_written(written: Kept) -> None:
    assert from_json(to_json(written)) == written


pairs = st.tuples(words, words)
digests = st.lists(pairs, max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
asked = st.builds(Lookup, words, st.integers(-1, 9), words, st.none() | words.filter(bool))


@given(st.booleans(), digests, st.frozensets(asked, max_size=3), st.frozensets(pairs, max_size=3))
def test_what_it_depends_on_is_read_as_it_was_written(
    mattered: bool, known: tuple[tuple[str, str], ...], looked_up: frozenset[Lookup], leads: frozenset[tuple[str, str]]
) -> None:
    depends = Depends(mattered, Trail(looked_up, frozenset(file for file, _ in known), leads), known)

    assert depends_from_json(depends_to_json(depends)) == depends


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"[true, [], [], 1]", b"[1, [], [], []]", b'[true, [["a"]], [], []]', b"[" * 9999]
)
def test_foreign_json_is_nothing_to_depend_on(text: bytes) -> None:
    assert depends_from_json(b"[true, [], [], []]") == Depends(True, Trail())
    assert depends_from_json(text) is None


def test_every_field_is_filled_above() -> None:
    assert set(Diagnostic.__slots__) == {"severity", "span", "labels", "evidence", *texts}
    assert Outcome.__slots__ == ("refusals", "judgement", "candidate", "suppresses")
    assert Verdict.__slots__ == ("diagnostic", "was_seen", "unless_built")
    assert Judgement.__slots__ == ("verdicts", "built")


RIGHT = b'["", [], [], null, true, false]'


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"null",
        b"[[]]",
        b'["", [], [], null, true]',
        b'["", [], [], null, 1, false]',
        b'["", {}, [], null, true, false]',
        b"[null, [], [], null, true, false]",
        b'["", [["a", 0, "b", null]], [], null, true, false]',
        b'["", [["a", true, "b", null, ""]], [], null, true, false]',
        b'["", [], [[]], null, true, false]',
        b'["", [], [], [[]], true, false]',
        b'["", [], [], [[], [1]], true, false]',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_foreign_json_is_nothing(text: bytes) -> None:
    assert from_json(RIGHT) == Kept(Outcome(candidate=True), "")
    assert from_json(text) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"RSG201",', b'"RSG201","RSG202",'),
        (b'"RSG201",', b""),
        (b'"RSG201"', b"201"),
        (b'"error"', b'"fatal"'),
        (b'"a.py",7,', b'"a.py",7.0,'),
        (b'"a.py",7,', b'"a.py",true,'),
        (b'"a.py",7,', b'"a.py",'),
    ],
)
def test_a_diagnostic_with_a_field_of_another_form_is_nothing(before: bytes, after: bytes) -> None:
    span = Span("a.py", Position(7, 5), Position(7, 9))
    found = Diagnostic(code="RSG201", name="linear-in-features", severity=Severity.ERROR, message="wrong", span=span)
    text = to_json(Kept(Outcome((found,)), ""))
    assert from_json(text) is not None
    assert before in text

    assert from_json(text.replace(before, after)) is None
