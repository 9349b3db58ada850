"""docs/guard.md and the README show what is really printed and raised."""

from __future__ import annotations

import contextlib
import io
import linecache
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pairs(page: Path) -> Iterator[tuple[str, str]]:
    """Each program of a page, with the text that the page shows below it."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for (language, program), (next_language, shown) in pairwise(blocks):
        if (language, next_language) == ("python", "text"):
            yield program, shown


def run(program: str, names: dict[str, Any]) -> str:
    """What a program prints, and what it raises."""
    linecache.cache["model.py"] = (len(program), None, program.splitlines(keepends=True), "model.py")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(program, "model.py", "exec"), names)
        except Exception as error:  # noqa: BLE001 - every kind of error that a page shows
            print(f"{type(error).__name__}: {error}")
    del linecache.cache["model.py"]
    return output.getvalue()


@pytest.mark.parametrize(("page", "codes"), [("docs/guard.md", 3), ("README.md", 1)])
def test_the_page_shows_what_its_programs_print_and_raise(page: str, codes: int) -> None:
    names: dict[str, Any] = {"__name__": "model"}
    found = [(run(program, names), shown) for program, shown in pairs(ROOT / page)]
    assert [printed for printed, _ in found] == [shown for _, shown in found]
    assert sum(shown.startswith("ShapeContractError: [RSG") for _, shown in found) >= codes
