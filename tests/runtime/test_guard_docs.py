"""docs/guard.md shows what is really raised."""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guard.md"


def test_the_page_shows_the_errors_that_its_programs_raise() -> None:
    pairs = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "model"}
    raised = []
    for program, _ in pairs:
        linecache.cache["model.py"] = (len(program), None, program.splitlines(True), "model.py")
        try:
            exec(compile(program, "model.py", "exec"), names)
        except Exception as error:  # noqa: BLE001 - every kind of error that the page shows
            raised.append(f"{type(error).__name__}: {error}\n")
    linecache.cache.pop("model.py")
    assert raised == [shown for _, shown in pairs]
    assert [text.partition("]")[0][-6:] for text in raised[:3]] == ["RSG101", "RSG901", "RSG901"]
