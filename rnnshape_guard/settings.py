"""What a user has set: `[tool.rnnshape-guard]` of a pyproject.toml, rnnshape-guard.toml, and the command line over both.

A file is checked under the settings that lie nearest to it, walking up from its folder; they are not merged with those
further up. An unknown key or a value of the wrong type is an error that names the file, the key and what was expected.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rnnshape_guard.findings import Severity

SECTION = "rnnshape-guard"
OWN_FILE = "rnnshape-guard.toml"
PROJECT_FILE = "pyproject.toml"

# The folders that Ruff leaves out, for the same reasons, and our own.
DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".rnnshape_guard_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)

DEFAULT_CACHE = ".rnnshape_guard_cache"
OUTPUT_FORMATS = ("full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit")
ROLES = ("batch", "time", "feature", "hidden", "layer", "direction", "channel")


class SettingsProblem(ValueError):
    """Settings that cannot be used; the message names the file, the key and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force for some files. Patterns, `rule_dirs` and `cache_dir` are relative to `root`."""

    select: tuple[str, ...] = ("ALL",)
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fail_on: Severity = Severity.WARNING
    output_format: str = "full"
    rule_dirs: tuple[str, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    jobs: int = 0
    """Worker processes; 0 is one for each processor."""
    cache_dir: str = DEFAULT_CACHE
    root: Path = field(default_factory=Path.cwd)
    source: Path | None = None
    """The file these settings were read from; None for the defaults."""

    @property
    def rule_folders(self) -> tuple[Path, ...]:
        """The folders of `rule_dirs`, as whole paths."""
        return tuple(self.root / folder for folder in self.rule_dirs)

    @property
    def cache_folder(self) -> Path:
        """The folder of `cache_dir`, as a whole path."""
        return self.root / self.cache_dir


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line says over the settings of any file. None and () leave those as they are."""

    isolated: bool = False
    config: Path | None = None
    """Use this file for everything instead of the nearest one."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Settings by key, already read, that replace those of the file."""
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    root: Path = field(default_factory=Path.cwd)
    """What relative patterns of the command line are relative to."""

    def over(self, settings: Settings) -> Settings:
        """The settings with these laid over them. As in Ruff, `--select` starts afresh: ignores of the file go with it."""
        settings = replace(settings, **self.values)
        if self.select is not None:
            settings = replace(settings, select=self.select, extend_select=(), ignore=())
        return replace(
            settings,
            extend_select=settings.extend_select + self.extend_select,
            ignore=settings.ignore + self.ignore,
            extend_exclude=settings.extend_exclude + self.extend_exclude,
        )


# -- reading values ------------------------------------------------------------------------------------------------


class _Unfit(ValueError):
    """A value of the wrong type; the message says what was expected."""


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise _Unfit("a list of strings")


def _name(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise _Unfit("the name of a folder")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit("true or false")


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _Unfit("a whole number, 0 for one worker per processor")


def _severity(value: object) -> Severity:
    if isinstance(value, str) and value in tuple(Severity):
        return Severity(value)
    raise _Unfit('"error", "warning" or "note"')


def _output_format(value: object) -> str:
    if isinstance(value, str) and value in OUTPUT_FORMATS:
        return value
    raise _Unfit("one of " + ", ".join(f'"{name}"' for name in OUTPUT_FORMATS))


def _table(value: object) -> dict[str, tuple[str, ...]]:
    expected = "a table whose values are lists of strings"
    if not isinstance(value, dict):
        raise _Unfit(expected)
    try:
        return {key: _strings(item) for key, item in value.items()}
    except _Unfit:
        raise _Unfit(expected) from None


def _roles(value: object) -> dict[str, tuple[str, ...]]:
    table = _table(value)
    for role in table:
        if role not in ROLES:
            raise _Unfit(f"axis roles among {', '.join(ROLES)}, not `{role}`")
    return {role: tuple(name.lower() for name in names) for role, names in table.items()}


READERS: Mapping[str, Callable[[object], Any]] = {
    "select": _strings,
    "extend-select": _strings,
    "ignore": _strings,
    "exclude": _strings,
    "extend-exclude": _strings,
    "force-exclude": _flag,
    "respect-gitignore": _flag,
    "per-file-ignores": _table,
    "fail-on": _severity,
    "output-format": _output_format,
    "rule-dirs": _strings,
    "roles": _roles,
    "jobs": _count,
    "cache-dir": _name,
}
"""Every key a settings file may hold, with what reads its value."""


def read_values(table: Mapping[str, object], where: str) -> dict[str, Any]:
    """The fields of `Settings` that a table of kebab-case keys gives.

    `where` names the table's place in messages: ``pyproject.toml: [tool.rnnshape-guard]``.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        reader = READERS.get(key)
        if reader is None:
            raise SettingsProblem(f"{where}: unknown setting `{key}`{suggestion(key, READERS)}")
        try:
            values[key.replace("-", "_")] = reader(value)
        except _Unfit as unfit:
            raise SettingsProblem(f"{where}: `{key}` must be {unfit}, not {_shown(value)}") from None
    return values


def suggestion(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """`` (did you mean `x`?)`` for a word that is nearly one of the known ones, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case dict():
            return "a table"
        case _:
            return str(value)


# -- reading files -------------------------------------------------------------------------------------------------


def read_settings(path: Path) -> Settings | None:
    """The settings a file holds; None for a pyproject.toml that says nothing about this tool.

    Raises `SettingsProblem` if the file cannot be read, is no TOML, or holds what is not understood.
    """
    import tomllib  # 12 ms that a run without settings need not pay

    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as problem:
        raise SettingsProblem(f"{path}: cannot be read: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise SettingsProblem(f"{path}: is not UTF-8") from None
    except tomllib.TOMLDecodeError as problem:
        raise SettingsProblem(f"{path}: is not valid TOML: {problem}") from None
    where = str(path)
    table: object = content
    if path.name == PROJECT_FILE:
        table = content.get("tool", {}).get(SECTION) if isinstance(content.get("tool", {}), dict) else None
        where = f"{path}: [tool.{SECTION}]"
    if table is None:
        return None
    if not isinstance(table, dict):
        raise SettingsProblem(f"{where}: must be a table")
    return Settings(**read_values(table, where), root=path.resolve().parent, source=path)


def settings_in(folder: Path) -> Settings | None:
    """The settings that lie in this very folder, if any; rnnshape-guard.toml goes before pyproject.toml."""
    own = folder / OWN_FILE
    if own.is_file():
        return read_settings(own)
    project = folder / PROJECT_FILE
    if project.is_file() and _mentions_tool(project):
        return read_settings(project)
    return None


def _mentions_tool(project: Path) -> bool:
    # A pyproject.toml that is not valid TOML is somebody else's problem unless it speaks of this tool.
    try:
        return SECTION.encode() in project.read_bytes()
    except OSError:
        return False


class SettingsResolver:
    """Finds the settings in force for a folder, with the command line's overrides; every folder is looked at once."""

    def __init__(self, overrides: Overrides | None = None) -> None:
        self._overrides = overrides or Overrides()
        self._found: dict[Path, Settings | None] = {}
        self._default = self._overrides.over(Settings(root=self._overrides.root))
        self._fixed: Settings | None = None
        if self._overrides.isolated:
            self._fixed = self._default
        elif self._overrides.config is not None:
            read = read_settings(self._overrides.config)
            self._fixed = self._overrides.over(read) if read is not None else self._default

    def in_folder(self, folder: Path) -> Settings:
        """The settings for files in a folder (given as an absolute path)."""
        return self._fixed or self._nearest(folder) or self._default

    def _nearest(self, folder: Path) -> Settings | None:
        pending: list[Path] = []
        found: Settings | None = None
        for place in (folder, *folder.parents):
            if place in self._found:
                found = self._found[place]
                break
            pending.append(place)
            read = settings_in(place)
            if read is not None:
                found = self._overrides.over(read)
                break
        for place in pending:
            self._found[place] = found
        return found


def by_key(settings: Settings) -> dict[str, object]:
    """The settings as a user writes them: kebab-case keys and plain values, in the order of the table of keys."""
    return {key: _plain(getattr(settings, key.replace("-", "_"))) for key in READERS}


def _plain(value: object) -> object:
    match value:
        case Severity():
            return value.value
        case tuple():
            return list(value)
        case Mapping():
            return {key: list(item) for key, item in value.items()}
        case _:
            return value
