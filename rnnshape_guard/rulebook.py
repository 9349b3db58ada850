"""The rules as their pages tell them: `rules/RSG201-linear-in-features.md` and those of a user's own `rule-dirs`.

A page is the one place that says what a rule is called, how severe it is, what it finds and which programs are wrong
and right. A listing of the folder gives codes and names; a page is read when somebody asks for it, because a run that
finds nothing needs none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape_guard.findings import Severity
from rnnshape_guard.settings import suggestion

if TYPE_CHECKING:
    from rnnshape_guard.settings import Settings

ALL = "ALL"

_PAGE_NAME = re.compile(r"(?P<code>[A-Z]+[0-9]{3,4})-(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)\.md")
_TITLE = re.compile(r"# (?P<code>[A-Z]+[0-9]{3,4}) (?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)\s*")
_FENCE = re.compile(r"^```(?P<language>\w*)[^\S\n]*\n(?P<text>.*?)^```[^\S\n]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (.+?)\s*$")

SECTIONS = ("What it finds", "Why it matters", "Bad", "What PyTorch does", "Good", "When it stays silent")
"""The sections a page may have; of the rules of the tool itself, none but the first has to be there."""

FIXES = ("none", "safe", "unsafe")


class PageProblem(ValueError):
    """A rule's page that does not have the form of one; the message names the file and the line."""


class UnknownRule(ValueError):
    """A selector that names no rule; the message suggests one that is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, read from its page.

    `bad` and `good` hold the programs of those sections in order; `truth` holds what the page's toml block says beyond
    the keys of a rule, for tests that hold the page against PyTorch.
    """

    code: str
    name: str
    severity: Severity
    since: str
    fix: str
    static: bool
    runtime: bool
    silent: bool
    summary: str
    sections: Mapping[str, str]
    bad: tuple[str, ...]
    good: tuple[str, ...]
    truth: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    """Where the page can be read on the web, if its toml block says so."""
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that has been listed and not yet read."""

    code: str
    name: str
    path: Path


def shipped_pages() -> Path:
    """The folder of the rules that come with the tool: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    installed = package / "rules"
    return installed if installed.is_dir() else package.parent / "rules"


class RuleBook:
    """All rules by code. ``book["RSG201"]`` reads that page, once; ``in``, `find` and `select` read none."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = dict(sorted(entries.items()))
        self._codes_by_name = {entry.name: code for code, entry in self._entries.items()}
        self._rules: dict[str, Rule] = {}

    @classmethod
    def load(cls, folders: Sequence[Path] = ()) -> RuleBook:
        """The rules that come with the tool and those in `folders` (a user's `rule-dirs`).

        Raises `PageProblem` if a folder cannot be listed, a page's file name is not of the form, or two pages share a
        code or a name.
        """
        entries: dict[str, Entry] = {}
        names: dict[str, Entry] = {}
        for folder in (shipped_pages(), *folders):
            for entry in _listed(folder):
                other = entries.get(entry.code) or names.get(entry.name)
                if other is not None:
                    raise PageProblem(f"{entry.path}: {other.path} has the same code or name")
                entries[entry.code] = entry
                names[entry.name] = entry
        return cls(entries)

    def __getitem__(self, code: str) -> Rule:
        rule = self._rules.get(code)
        if rule is None:
            rule = self._rules[code] = read_page(self._entries[code].path)
        return rule

    def __contains__(self, code: object) -> bool:
        return code in self._entries

    def __iter__(self) -> Iterator[Rule]:
        return (self[code] for code in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, in order."""
        return tuple(self._entries)

    @property
    def names(self) -> Mapping[str, str]:
        """The code of each name."""
        return self._codes_by_name

    def entry(self, code: str) -> Entry:
        """The page of a code without reading it: enough for a name."""
        return self._entries[code]

    def find(self, selector: str) -> str:
        """The code of the one rule that a user names by code, in any case, or by name. Raises `UnknownRule`."""
        code = self._codes_by_name.get(selector.lower(), selector.upper())
        if code in self._entries:
            return code
        raise UnknownRule(f"there is no rule `{selector}`{self._suggestion(selector)}")

    def matching(self, selector: str) -> frozenset[str]:
        """The codes that a selector stands for: ALL, a code, the beginning of codes, or a name. Raises `UnknownRule`."""
        if selector == ALL:
            return frozenset(self._entries)
        named = self._codes_by_name.get(selector)
        if named is not None:
            return frozenset({named})
        codes = frozenset(code for code in self._entries if code.startswith(selector)) if selector else frozenset()
        if not codes:
            raise UnknownRule(f"there is no rule `{selector}`{self._suggestion(selector)}")
        return codes

    def select(self, settings: Settings) -> frozenset[str]:
        """The codes that are switched on. As in Ruff the more precise selector wins, and at a tie, ignore.

        Raises `UnknownRule`, which names the setting and, if there is one, the file it stands in.
        """
        for key, selectors in (
            ("select", settings.select),
            ("extend-select", settings.extend_select),
            ("ignore", settings.ignore),
            *((f"per-file-ignores of {pattern}", codes) for pattern, codes in settings.per_file_ignores.items()),
        ):
            self._known(selectors, key, settings)
        precision: dict[str, tuple[int, bool]] = {}
        for selectors, selected in (((*settings.select, *settings.extend_select), True), (settings.ignore, False)):
            for selector in selectors:
                weight = self._weight(selector)
                for code in self.matching(selector):
                    if weight >= precision.get(code, (-1, False))[0]:
                        precision[code] = (weight, selected)
        return frozenset(code for code, (_, selected) in precision.items() if selected)

    def _known(self, selectors: Sequence[str], key: str, settings: Settings) -> None:
        for selector in selectors:
            try:
                self.matching(selector)
            except UnknownRule as unknown:
                where = f"{settings.source}: " if settings.source is not None else ""
                raise UnknownRule(f"{where}{unknown} in {key}") from None

    def _weight(self, selector: str) -> int:
        # A name is as precise as a whole code.
        return 0 if selector == ALL else 100 if selector in self._codes_by_name else len(selector)

    def _suggestion(self, selector: str) -> str:
        return suggestion(selector.upper(), self.codes) or suggestion(selector.lower(), tuple(self._codes_by_name))


def _listed(folder: Path) -> Iterator[Entry]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".md" and path.name != "README.md")
    except OSError as problem:
        raise PageProblem(f"{folder}: the folder of rules cannot be read: {problem.strerror}") from None
    for path in paths:
        match = _PAGE_NAME.fullmatch(path.name)
        if match is None:
            raise PageProblem(f"{path}: a page is named like RSG201-linear-in-features.md")
        yield Entry(match["code"], match["name"], path)


def read_page(path: Path) -> Rule:
    """Read one page. Raises `PageProblem` with the file and line of what is not as it should be."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise PageProblem(f"{path}: cannot be read: {problem}") from None
    return _Page(path, text).rule()


class _Page:
    """A page on its way to a rule: its text, and errors that name their line."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text.replace("\r\n", "\n")

    def rule(self) -> Rule:
        first_line, _, _ = self._text.partition("\n")
        title = _TITLE.fullmatch(first_line)
        if title is None:
            raise self._problem(0, "the first line must be a title like `# RSG201 linear-in-features`")
        if self._path.name != f"{title['code']}-{title['name']}.md":
            raise self._problem(0, f"the title belongs to {title['code']}-{title['name']}.md")
        block = next((fence for fence in _FENCE.finditer(self._text) if fence["language"] == "toml"), None)
        if block is None:
            raise self._problem(0, "there is no ```toml block with severity, since, fix, static, runtime and silent")
        head = self._text[len(first_line) : block.start()].strip()
        if not head:
            raise self._problem(len(first_line), "a line that sums the rule up must stand between title and toml block")
        sections = self._sections(block.end())
        return Rule(
            **self._facts(block),
            code=title["code"],
            name=title["name"],
            summary=" ".join(head.split()),
            sections=sections,
            bad=_programs(sections.get("Bad", "")),
            good=_programs(sections.get("Good", "")),
            path=self._path,
            text=self._text,
        )

    def _facts(self, block: re.Match[str]) -> dict[str, Any]:
        import tomllib  # 12 ms that a run without findings need not pay

        try:
            table = tomllib.loads(block["text"])
        except tomllib.TOMLDecodeError as problem:
            raise self._problem(block.start(), f"the toml block is not valid: {problem}") from None
        facts: dict[str, Any] = {}
        for key, accepted, expected in (
            ("severity", tuple(Severity), '"error", "warning" or "note"'),
            ("since", None, 'a version such as "0.1.0"'),
            ("fix", FIXES, '"none", "safe" or "unsafe"'),
            ("static", (True, False), "true or false"),
            ("runtime", (True, False), "true or false"),
            ("silent", (True, False), "true or false"),
        ):
            value = table.pop(key, None)
            fits = isinstance(value, str) if accepted is None else value in accepted and value is not None
            if not fits:
                line = self._text.find(f"\n{key}", block.start(), block.end())
                raise self._problem(line + 1 if line >= 0 else block.start(), f"`{key}` must be {expected}")
            facts[key] = value
        truth = table.pop("truth", {})
        return {
            **facts,
            "severity": Severity(facts["severity"]),
            "url": str(table.pop("url", "")),
            "truth": {**table, **truth},
        }

    def _sections(self, start: int) -> dict[str, str]:
        sections: dict[str, list[str]] = {}
        current: list[str] | None = None
        fenced = False
        offset = start
        for line in self._text[start:].splitlines(keepends=True):
            fenced ^= line.startswith("```")
            heading = None if fenced else _HEADING.match(line)
            if heading is not None:
                if heading[1] not in SECTIONS:
                    hint = suggestion(heading[1], SECTIONS)
                    raise self._problem(offset, f"`{heading[1]}` is no section of a rule's page{hint}")
                if heading[1] in sections:
                    raise self._problem(offset, f"the section `{heading[1]}` stands here a second time")
                current = sections[heading[1]] = []
            elif current is not None:
                current.append(line)
            elif line.strip():
                raise self._problem(offset, "text must stand in a section (`## What it finds`)")
            offset += len(line)
        if fenced:
            raise self._problem(len(self._text), "a block opened with ``` is not closed")
        if SECTIONS[0] not in sections:
            raise self._problem(start, f"the section `{SECTIONS[0]}` is missing")
        return {title: "".join(lines).strip() for title, lines in sections.items()}

    def _problem(self, offset: int, message: str) -> PageProblem:
        line = self._text.count("\n", 0, offset) + 1
        return PageProblem(f"{self._path}:{line}: {message}")


def _programs(section: str) -> tuple[str, ...]:
    return tuple(fence["text"] for fence in _FENCE.finditer(section) if fence["language"] == "python")
