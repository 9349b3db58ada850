"""What each output format prints, to the letter where a reader or a program depends on it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from rnnshape_guard.findings import Diagnostic, Note, Position, Severity, Span
from rnnshape_guard.reports import FORMATS, View, render
from rnnshape_guard.settings import OUTPUT_FORMATS

MODEL = """\
import torch.nn as nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        # two directions

        self.rnn = nn.LSTM(64, 128, bidirectional=True, batch_first=True)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.head(out)
"""


def span(row: int, words: str, text: str = MODEL, filename: str = "model.py") -> Span:
    """The place of some words in a row."""
    start = text.splitlines()[row - 1].index(words) + 1
    return Span(filename, Position(row, start), Position(row, start + len(words)))


LINEAR = Diagnostic(
    code="RSG201",
    name="linear-in-features",
    severity=Severity.ERROR,
    message="`self.head` takes 128 features, but `out` brings 2·128 = 256",
    span=span(10, "128"),
    primary="expects 128",
    labels=(
        Note("2 directions × 128", span(9, "nn.LSTM(64, 128, bidirectional=True, batch_first=True)")),
        Note("(batch, time, direction·hidden = 256)", span(14, "out")),
    ),
    expected="(…, 128)",
    found="(batch, time, 256)",
    help="nn.Linear(2 * 128, 10)",
)


def shown(*diagnostics: Diagnostic, output: str = "full", text: str = MODEL, color: bool = False) -> str:
    return render(output, diagnostics, View(lines=lambda _: text.splitlines(), color=color, folder=Path("/project")))


def test_every_format_has_a_module_and_every_module_a_name() -> None:
    assert tuple(FORMATS) == OUTPUT_FORMATS


def test_full_is_the_excerpt_of_the_design() -> None:
    assert shown(LINEAR) == (
        "error[RSG201]: `self.head` takes 128 features, but `out` brings 2·128 = 256\n"
        "  --> model.py:10:31\n"
        "   |\n"
        " 9 |         self.rnn = nn.LSTM(64, 128, bidirectional=True, batch_first=True)\n"
        "   |                    ------------------------------------------------------ 2 directions × 128\n"
        "10 |         self.head = nn.Linear(128, 10)\n"
        "   |                               ^^^ expects 128\n"
        "   …\n"
        "14 |         return self.head(out)\n"
        "   |                          --- (batch, time, direction·hidden = 256)\n"
        "   = expected: (…, 128)\n"
        "   = found:    (batch, time, 256)\n"
        "   = help: nn.Linear(2 * 128, 10)\n"
        "\n"
    )


def test_full_names_the_lines_of_its_evidence() -> None:
    diagnostic = Diagnostic(
        code="RSG101",
        name="layout-mismatch",
        severity=Severity.WARNING,
        message="`x` is batch first, when `bidirectional`",
        span=span(13, "self.rnn(x)"),
        evidence=(
            Note("`batch_size, seq_len, _ = x.shape`", span(13, "out")),
            Note("the loader gives (batch, time)", Span("data.py", Position(7, 1), Position(7, 4))),
            Note("nothing disagrees", None),
        ),
        condition="`bidirectional`",
    )
    assert shown(diagnostic) == (
        "warning[RSG101]: `x` is batch first, when `bidirectional`\n"
        "  --> model.py:13:18\n"
        "   |\n"
        "13 |         out, _ = self.rnn(x)\n"
        "   |                  ^^^^^^^^^^^\n"
        "   = because: `batch_size, seq_len, _ = x.shape` (line 13)\n"
        "   = because: the loader gives (batch, time) (data.py:7)\n"
        "   = because: nothing disagrees\n"
        "\n"
    )


def test_full_puts_two_places_of_one_line_under_it() -> None:
    diagnostic = Diagnostic(
        code="RSG201",
        name="linear-in-features",
        severity=Severity.ERROR,
        message="m",
        span=span(9, "128"),
        primary="here",
        labels=(Note("there", span(9, "bidirectional=True")), Note("", span(9, "nn.LSTM"))),
    )
    assert shown(diagnostic).splitlines()[3:] == [
        "9 |         self.rnn = nn.LSTM(64, 128, bidirectional=True, batch_first=True)",
        "  |                    -------     ^^^  ------------------ there",
        "  |                                here",
        "",
    ]


def test_full_underlines_what_is_seen_not_what_is_counted() -> None:
    text = "\t隐藏 = f('é', hidden)\n"
    diagnostic = Diagnostic(
        code="RSG201", name="n", severity=Severity.ERROR, message="m", span=span(1, "hidden", text), primary="here"
    )
    line, marks = shown(diagnostic, text=text).splitlines()[3:5]
    assert line == "1 |     隐藏 = f('é', hidden)"
    # The tab is four cells wide, the two East Asian characters are four, and ten more stand before the word.
    assert marks == f"  | {' ' * 18}^^^^^^ here"


def test_full_shows_the_first_and_last_line_of_a_long_place() -> None:
    text = "x = f(\n    1,\n    2,\n    3,\n)\n"
    diagnostic = Diagnostic(
        code="RSG201",
        name="n",
        severity=Severity.ERROR,
        message="m",
        span=Span("model.py", Position(1, 5), Position(5, 2)),
        primary="all of it",
    )
    assert shown(diagnostic, text=text).splitlines()[2:] == [
        "  |",
        "1 | x = f(",
        "  |     ^^",
        "  …",
        "5 | )",
        "  | ^ all of it",
        "",
    ]


def test_full_cuts_a_line_of_thousands_of_characters() -> None:
    text = f"x = '{'a' * 5000}'; head = nn.Linear(128, 10); y = '{'b' * 5000}'\n"
    diagnostic = Diagnostic(
        code="RSG201", name="n", severity=Severity.ERROR, message="m", span=span(1, "128", text), primary="expects 128"
    )
    line, marks = shown(diagnostic, text=text).splitlines()[3:5]
    assert len(line) < 200
    at = marks.index("^^^")
    assert line[at : at + 3] == "128"


def test_full_lets_no_escape_sequence_through() -> None:
    text = "x = '\x1b[2J\x07'; y = 128\n"
    diagnostic = Diagnostic(code="RSG201", name="n", severity=Severity.ERROR, message="m", span=span(1, "128", text))
    assert "\x1b" not in shown(diagnostic, text=text)


@pytest.mark.parametrize("text", ["", "one line\n"])
def test_full_does_without_a_source_it_cannot_read(text: str) -> None:
    assert shown(LINEAR, text=text).splitlines()[:3] == [
        "error[RSG201]: `self.head` takes 128 features, but `out` brings 2·128 = 256",
        "  --> model.py:10:31",
        "   = expected: (…, 128)",
    ]


def test_full_survives_a_place_beyond_the_end_of_its_line() -> None:
    diagnostic = Diagnostic(
        code="RSG000",
        name="n",
        severity=Severity.ERROR,
        message="m",
        span=Span("model.py", Position(1, 9), Position(1, 10)),
    )
    assert shown(diagnostic, text="x = (\n").splitlines()[3:5] == ["1 | x = (", "  |         ^"]


def test_colours_paint_and_change_nothing_else() -> None:
    for output in ("full", "concise"):
        painted = shown(LINEAR, output=output, color=True)
        assert "\x1b[1;31m" in painted
        assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == shown(LINEAR, output=output)


def test_concise_is_one_line() -> None:
    assert shown(LINEAR, output="concise") == (
        "model.py:10:31: error[RSG201] `self.head` takes 128 features, but `out` brings 2·128 = 256\n"
    )


def test_json_has_the_fields_of_ruff_and_its_own() -> None:
    (record,) = json.loads(shown(LINEAR, output="json"))
    labels = record.pop("labels")
    assert record == {
        "code": "RSG201",
        "name": "linear-in-features",
        "severity": "error",
        "message": "`self.head` takes 128 features, but `out` brings 2·128 = 256",
        "filename": "/project/model.py",
        "location": {"row": 10, "column": 31},
        "end_location": {"row": 10, "column": 34},
        "fix": None,
        "url": None,
        "expected": "(…, 128)",
        "found": "(batch, time, 256)",
        "evidence": [],
        "help": "nn.Linear(2 * 128, 10)",
        "condition": None,
    }
    assert [label["text"] for label in labels] == ["2 directions × 128", "(batch, time, direction·hidden = 256)"]


def test_json_lines_are_the_same_records() -> None:
    lines = shown(LINEAR, LINEAR, output="json-lines").splitlines()
    assert [json.loads(line) for line in lines] == json.loads(shown(LINEAR, LINEAR, output="json"))


NASTY = Diagnostic(
    code="RSG201",
    name="linear-in-features",
    severity=Severity.NOTE,
    message='100% of <b>"x"</b> & y,\nz: \x00\ud800',
    span=Span("dir with spaces/mo,d:el.py", Position(3, 1), Position(5, 2)),
    evidence=(Note("declared", Span("/elsewhere/b.py", Position(1, 1), Position(1, 2))),),
    condition="`bidirectional`",
)


@pytest.mark.parametrize("diagnostics", [(), (LINEAR,), (LINEAR, NASTY, LINEAR)], ids=["none", "one", "several"])
def test_sarif_is_valid(diagnostics: tuple[Diagnostic, ...]) -> None:
    schema = json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    log = json.loads(shown(*diagnostics, output="sarif"))
    jsonschema.validate(log, schema)
    (run,) = log["runs"]
    assert len(run["results"]) == len(diagnostics)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_carries_the_page_of_a_rule_and_places() -> None:
    (run,) = json.loads(shown(LINEAR, output="sarif"))["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["help"]["markdown"].startswith("# RSG201 linear-in-features")
    assert rule["defaultConfiguration"] == {"level": "error"}
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "model.py"},
        "region": {"startLine": 10, "startColumn": 31, "endLine": 10, "endColumn": 34},
    }
    assert [place["message"]["text"] for place in result["relatedLocations"]] == [note.text for note in LINEAR.labels]


def test_sarif_paths_are_uris() -> None:
    (run,) = json.loads(shown(NASTY, output="sarif"))["runs"]
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dir%20with%20spaces/mo%2Cd%3Ael.py"
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///elsewhere/b.py"


def test_github_commands() -> None:
    assert shown(LINEAR, output="github") == (
        "::error title=rnnshape-guard (RSG201),file=model.py,line=10,col=31,endLine=10,endColumn=34::"
        "model.py:10:31: RSG201 `self.head` takes 128 features, but `out` brings 2·128 = 256"
        "%0Aexpected: (…, 128)%0Afound: (batch, time, 256)%0Ahelp: nn.Linear(2 * 128, 10)\n"
    )


def test_github_escapes_what_would_end_a_command() -> None:
    (line,) = shown(NASTY, output="github").splitlines()
    assert line.startswith(
        "::notice title=rnnshape-guard (RSG201),file=dir with spaces/mo%2Cd%3Ael.py,line=3,endLine=5::"
    )
    assert "100%25 of" in line
    assert "y,%0Az: " in line


def test_gitlab_report() -> None:
    first, second, third = json.loads(shown(LINEAR, NASTY, LINEAR, output="gitlab"))
    fingerprint = first.pop("fingerprint")
    assert first == {
        "description": "RSG201: `self.head` takes 128 features, but `out` brings 2·128 = 256",
        "check_name": "linear-in-features",
        "severity": "major",
        "location": {
            "path": "model.py",
            "positions": {"begin": {"line": 10, "column": 31}, "end": {"line": 10, "column": 34}},
        },
    }
    assert second["severity"] == "info"
    assert len({fingerprint, second["fingerprint"], third["fingerprint"]}) == 3


def test_gitlab_fingerprints_do_not_move_with_the_lines() -> None:
    from dataclasses import replace

    moved = replace(LINEAR, span=Span("model.py", Position(99, 31), Position(99, 34)))
    (before,), (after,) = (json.loads(shown(it, output="gitlab")) for it in (LINEAR, moved))
    assert before["fingerprint"] == after["fingerprint"]


def test_junit_is_a_suite_for_each_file() -> None:
    suites = ElementTree.fromstring(shown(LINEAR, LINEAR, NASTY, output="junit"))
    assert suites.attrib == {"name": "rnnshape-guard", "tests": "3", "failures": "3", "errors": "0"}
    assert [(suite.get("name"), suite.get("tests")) for suite in suites] == [
        ("model.py", "2"),
        ("dir with spaces/mo,d:el.py", "1"),
    ]
    case = suites[0][0]
    assert (case.get("name"), case.get("line")) == ("RSG201 linear-in-features", "10")
    assert "expected: (…, 128)" in (case[0].text or "")


def test_junit_without_findings_is_a_case_that_passes() -> None:
    suites = ElementTree.fromstring(shown(output="junit"))
    assert (suites.get("tests"), suites.get("failures")) == ("1", "0")


@pytest.mark.parametrize(("output", "empty"), [("full", ""), ("concise", ""), ("json", "[]\n"), ("json-lines", "")])
def test_nothing_found(output: str, empty: str) -> None:
    assert shown(output=output) == empty
