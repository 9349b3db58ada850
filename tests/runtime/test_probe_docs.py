"""docs/probe.md shows what is really printed."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "probe.md"


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_the_page_shows_what_its_programs_print() -> None:
    names: dict[str, Any] = {"__name__": "docs"}
    printed: list[str] = []
    shown: list[str] = []
    for language, text in re.findall(
        r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        if language == "text":
            shown.append(text)
            continue
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(text, names)
        printed.append(output.getvalue())
    assert [each for each in printed if each] == shown
    assert len(shown) == 7


def test_the_page_has_its_picture() -> None:
    assert (PAGE.parent / "probe.png").read_bytes().startswith(b"\x89PNG")
