"""Rule pages as the tests need them: title, toml block, sections, programs and the marks in them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "rules"
SECTIONS = (
    "What it finds",
    "Why it matters",
    "Bad",
    "What PyTorch does",
    "Good",
    "When it stays silent",
)
_MARK = re.compile(r"# (error|warning|note): \[(RSG\d{3})\]")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A `# error: [RSG201]` comment: what a checker has to say about that line, and nowhere else."""

    line: int
    code: str
    severity: str


@dataclass(frozen=True, slots=True)
class Page:
    """One file of rules/."""

    path: Path
    title: str
    summary: str
    facts: dict[str, Any]
    headings: tuple[str, ...]
    sections: dict[str, str]

    @property
    def code(self) -> str:
        return self.path.name.split("-")[0]

    def blocks(self, section: str, language: str) -> list[str]:
        """The fenced blocks of one language in one section, in order."""
        return [text for name, text in _FENCE.findall(self.sections.get(section, "")) if name == language]

    @property
    def bad(self) -> list[str]:
        return self.blocks("Bad", "python")

    @property
    def good(self) -> list[str]:
        return self.blocks("Good", "python")

    def truth(self, number: int) -> dict[str, Any]:
        """How the harm of the Bad block with this number (from 1) shows: the [truth] table, with what [truth.2] changes."""
        table = self.facts.get("truth", {})
        shared = {key: value for key, value in table.items() if not isinstance(value, dict)}
        own: dict[str, Any] = table.get(str(number), {})
        return shared | own

    def message(self, number: int) -> str:
        """The text block that belongs to a Bad block: the n-th of those that crash, the last if there are fewer."""
        texts = self.blocks("What PyTorch does", "text")
        crashes = sum(1 for earlier in range(1, number) if self.truth(earlier).get("harm") == "raises")
        return texts[min(crashes, len(texts) - 1)].strip()


def read(path: Path) -> Page:
    """Read one page; what is missing is empty, for the hygiene tests to complain about."""
    text = path.read_text(encoding="utf-8")
    head, *rest = re.split(r"^## (?=\S)", text, flags=re.MULTILINE)
    sections = {}
    for part in rest:
        heading, _, body = part.partition("\n")
        sections[heading.strip()] = body
    title, _, opening = head.partition("\n")
    block = re.search(r"^```toml\n(.*?)^```$", opening, re.MULTILINE | re.DOTALL)
    summary = opening[: block.start()] if block else opening
    return Page(
        path=path,
        title=title.strip(),
        summary=summary.strip(),
        facts=tomllib.loads(block[1]) if block else {},
        headings=tuple(part.partition("\n")[0].strip() for part in rest),
        sections=sections,
    )


@cache
def pages() -> tuple[Page, ...]:
    """Every page, by code."""
    return tuple(read(path) for path in sorted(FOLDER.glob("RSG*.md")))


def marks(program: str) -> list[Mark]:
    """What the comments of a program announce."""
    return [
        Mark(row, code, severity)
        for row, line in enumerate(program.splitlines(), start=1)
        for severity, code in _MARK.findall(line)
    ]
