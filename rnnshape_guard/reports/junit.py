"""JUnit XML, for build servers that show tests: a suite for each file, a failed case for each finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from rnnshape_guard.findings import Diagnostic
from rnnshape_guard.reports.view import View

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """The report as one document; a run without findings is one case that passes."""
    count = str(len(diagnostics))
    suites = ElementTree.Element("testsuites", name="rnnshape-guard", tests=count, failures=count, errors="0")
    if not diagnostics:
        suites.set("tests", "1")
        suite = ElementTree.SubElement(suites, "testsuite", name="rnnshape-guard", tests="1", failures="0", errors="0")
        ElementTree.SubElement(suite, "testcase", name="no shape mistakes found", classname="rnnshape-guard")
    for filename, group in groupby(diagnostics, key=lambda diagnostic: diagnostic.span.filename):
        found = list(group)
        name = _clean(view.relative(filename))
        size = str(len(found))
        suite = ElementTree.SubElement(suites, "testsuite", name=name, tests=size, failures=size, errors="0")
        for diagnostic in found:
            _case(suite, diagnostic, name)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, diagnostic: Diagnostic, name: str) -> None:
    start = diagnostic.span.start
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=f"{diagnostic.code} {diagnostic.name}",
        classname=name,
        file=name,
        line=str(start.row),
        column=str(start.column),
    )
    failure = ElementTree.SubElement(
        case, "failure", type=diagnostic.severity.value, message=_clean(diagnostic.message)
    )
    lines = [f"line {start.row}, column {start.column}: {diagnostic.message}"]
    lines += [f"expected: {diagnostic.expected}"] if diagnostic.expected else []
    lines += [f"found: {diagnostic.found}"] if diagnostic.found else []
    lines += [f"because: {note.text}" for note in diagnostic.evidence]
    lines += [f"help: {diagnostic.help}"] if diagnostic.help else []
    failure.text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
