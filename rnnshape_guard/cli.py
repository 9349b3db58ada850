"""The command line: `check`, `rule`, `config`. Its habits are Ruff's, so that nobody has to learn them."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from rnnshape_guard import __version__
from rnnshape_guard.findings import Diagnostic, Severity
from rnnshape_guard.rulebook import PageProblem, Rule, RuleBook, UnknownRule
from rnnshape_guard.settings import (
    OUTPUT_FORMATS,
    Overrides,
    Settings,
    SettingsProblem,
    SettingsResolver,
    by_key,
    read_values,
    suggestion,
)

if TYPE_CHECKING:
    from rnnshape_guard.reports.colors import Paint
    from rnnshape_guard.static.cache import Cache
    from rnnshape_guard.static.engine import Report

CLEAN = 0
FOUND = 1
BROKEN = 2
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and exit. A mistake in the arguments or settings is one line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # A name or message that the terminal's encoding lacks must not end the run.
            reconfigure(errors="replace")
    # Modules and trees are new objects and hardly ever garbage: looked through after every 700 of them, as Python does
    # unless told otherwise, and once more when it ends, they cost a tenth of the time.
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)
    try:
        commands(prog_name="rnnshape-guard")
    except (SettingsProblem, PageProblem, UnknownRule) as problem:
        _complain(str(problem))
    except Exception as error:  # noqa: BLE001 - the last resort
        if "--verbose" in sys.argv or "-v" in sys.argv:
            import traceback

            traceback.print_exc()
        _complain(f"internal error: {type(error).__name__}: {error}; please report it with what --verbose prints")
    sys.exit(BROKEN)


def _complain(message: str) -> None:
    click.echo(f"error: {message}", err=True)


# -- reading options -----------------------------------------------------------------------------------------------


def _codes(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Several options, each a list with commas, as one tuple."""
    return tuple(word for value in values for word in value.replace(",", " ").split())


def _patterns(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Patterns with a slash are relative to where the command runs, whatever the settings' folder is."""
    words = [word.strip() for value in values for word in value.split(",")]
    return tuple((Path.cwd() / word).as_posix() if "/" in word.rstrip("/") else word for word in words if word)


def _ignores(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """``pattern:code`` pairs as a table."""
    table: dict[str, tuple[str, ...]] = {}
    for word in (word for value in values for word in value.split(",")):
        pattern, colon, code = word.strip().rpartition(":")
        if not colon or not pattern or not code:
            raise click.BadParameter(f"{word!r} is not of the form PATTERN:CODE")
        place = (Path.cwd() / pattern).as_posix() if "/" in pattern else pattern
        table[place] = (*table.get(place, ()), code)
    return table


def _config(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> tuple[Path | None, dict[str, Any]]:
    """A settings file, and ``key = value`` pairs in TOML."""
    file: Path | None = None
    settings: dict[str, Any] = {}
    for value in values:
        if "=" in value and not Path(value).exists():
            import tomllib

            try:
                settings |= read_values(tomllib.loads(value), f"--config {value!r}")
            except tomllib.TOMLDecodeError as problem:
                raise click.BadParameter(f"{value!r} is no TOML `key = value`: {problem}") from None
        elif not Path(value).is_file():
            raise click.BadParameter(f"{value!r} is neither a file nor `key = value`")
        elif file is not None:
            raise click.BadParameter("only one file can be given")
        else:
            file = Path(value)
    return file, settings


_settings_options: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--config",
        multiple=True,
        callback=_config,
        metavar="FILE|KEY=VALUE",
        help="Settings: a file to use instead of the nearest pyproject.toml or rnnshape-guard.toml, or one setting in TOML.",
    ),
    click.option("--isolated", is_flag=True, help="Ignore all settings files."),
)


def _with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_settings_options):
        command = option(command)
    return command


# -- check ---------------------------------------------------------------------------------------------------------


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="rnnshape-guard %(version)s")
def commands() -> None:
    """Finds shape mistakes around PyTorch's recurrent layers, before the code runs."""


@commands.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--select",
    multiple=True,
    callback=_codes,
    metavar="CODES",
    help="Rules to apply: codes, beginnings of codes, names, or ALL. Overrides the settings.",
)
@click.option(
    "--extend-select", multiple=True, callback=_codes, metavar="CODES", help="Rules to apply on top of those selected."
)
@click.option("--ignore", multiple=True, callback=_codes, metavar="CODES", help="Rules not to apply.")
@click.option(
    "--per-file-ignores",
    multiple=True,
    callback=_ignores,
    metavar="PATTERN:CODE",
    help="Rules not to apply to some files.",
)
@click.option(
    "--exclude",
    multiple=True,
    callback=_patterns,
    metavar="PATTERNS",
    help="Files and folders to leave out, instead of those of the settings.",
)
@click.option(
    "--extend-exclude",
    multiple=True,
    callback=_patterns,
    metavar="PATTERNS",
    help="Files and folders to leave out on top of those.",
)
@click.option(
    "--force-exclude/--no-force-exclude", default=None, help="Leave out what is excluded even if it is named."
)
@click.option(
    "--respect-gitignore/--no-respect-gitignore",
    default=None,
    help="Leave out what .gitignore files name (the default).",
)
@click.option(
    "--fail-on",
    type=click.Choice([severity.value for severity in Severity]),
    help="The least severity that makes the exit status 1. [default: warning]",
)
@click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--output-format", type=click.Choice(OUTPUT_FORMATS), help="How to print what is found. [default: full]")
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the report to a file.")
@click.option("--statistics", is_flag=True, help="Count findings by rule instead of printing them.")
@click.option("-j", "--jobs", type=click.IntRange(min=0), help="Worker processes. [default: one per processor]")
@click.option("-n", "--no-cache", is_flag=True, help="Judge everything anew, and keep nothing.")
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Where results are kept for the next run. [default: .rnnshape_guard_cache beside the settings]",
)
@click.option("--stdin-filename", metavar="FILE", help="The name to give standard input (`-`).")
@click.option("-q", "--quiet", is_flag=True, help="Print findings and nothing else.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Say which settings and which cache are used; show tracebacks of internal errors.",
)
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours. [default: auto]"
)
@_with_settings
def check(paths: tuple[str, ...], **options: Any) -> NoReturn:
    """Check files and folders (default: the current one; `-` is standard input).

    Exit status: 0 nothing found, 1 something found, 2 wrong usage or an internal error.
    """
    paths = paths or (("-",) if options["stdin_filename"] else (".",))
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("`-` (standard input) cannot be checked together with files")
    resolver = SettingsResolver(_overrides(options))
    settings = resolver.in_folder(_common_folder(options["stdin_filename"] or "" if paths == ("-",) else paths))
    if options["verbose"]:
        click.echo(f"settings: {settings.source or 'defaults'}", err=True)
    try:
        report = _run(paths, resolver, settings, options)
    except KeyboardInterrupt:
        _complain("interrupted")
        sys.stderr.flush()
        os._exit(INTERRUPTED)
    _print(report, settings, options)
    for filename, failure in report.failures.items():
        if options["verbose"]:
            click.echo(f"{filename}:\n{failure}", err=True)
    sys.exit(_status(report, settings, exit_zero=options["exit_zero"]))


_FROM_OPTION: dict[str, Callable[[Any], object]] = {
    "fail_on": Severity,
    # Relative to where the command runs, whatever the settings' folder is.
    "cache_dir": os.path.abspath,
}


def _itself(value: object) -> object:
    return value


def _overrides(options: Mapping[str, Any]) -> Overrides:
    file, values = options["config"]
    for key in (
        "exclude",
        "per_file_ignores",
        "fail_on",
        "output_format",
        "force_exclude",
        "respect_gitignore",
        "jobs",
        "cache_dir",
    ):
        value = options[key]
        if value not in (None, (), {}):
            values[key] = _FROM_OPTION.get(key, _itself)(value)
    return Overrides(
        isolated=options["isolated"],
        config=file,
        values=values,
        select=options["select"] or None,
        extend_select=options["extend_select"],
        ignore=options["ignore"],
        extend_exclude=options["extend_exclude"],
    )


def _common_folder(paths: Sequence[str] | str) -> Path:
    """The folder whose settings say how the whole run is printed and judged."""
    if isinstance(paths, str):
        return Path(paths).absolute().parent if paths else Path.cwd()
    folder = Path(os.path.commonpath([Path(path).absolute() for path in paths]))
    return folder if folder.is_dir() else folder.parent


def _run(paths: tuple[str, ...], resolver: SettingsResolver, settings: Settings, options: Mapping[str, Any]) -> Report:
    from rnnshape_guard.static.engine import check_paths, check_text

    if paths == ("-",):
        source = sys.stdin.buffer.read()
        return check_text(source, options["stdin_filename"] or "-", resolver)
    cache = None if options["no_cache"] else _cache(settings, verbose=options["verbose"])
    if options["quiet"] or not sys.stderr.isatty():
        return check_paths(paths, resolver, jobs=settings.jobs, cache=cache)
    from rnnshape_guard.progress import Progress

    with Progress() as progress:
        return check_paths(paths, resolver, jobs=settings.jobs, cache=cache, on_file=progress.advance)


def _cache(settings: Settings, *, verbose: bool) -> Cache:
    from rnnshape_guard.static.cache import Cache

    def tell(words: str) -> None:
        click.echo(f"cache: {words}", err=True)

    if not verbose:
        return Cache(settings.cache_folder)
    tell(str(settings.cache_folder))
    return Cache(settings.cache_folder, tell)


def _status(report: Report, settings: Settings, *, exit_zero: bool) -> int:
    if report.failures:
        return BROKEN
    blocking = any(found.severity.weight >= settings.fail_on.weight for found in report.diagnostics)
    return FOUND if blocking and not exit_zero else CLEAN


# -- printing what was found ---------------------------------------------------------------------------------------


def _print(report: Report, settings: Settings, options: Mapping[str, Any]) -> None:
    from rnnshape_guard.reports import FOR_PEOPLE, View, render
    from rnnshape_guard.reports.colors import Paint
    from rnnshape_guard.static.engine import rule_book

    file = options["output_file"]
    color = file is None and _wants_color(options["color"])
    paint = Paint(color)
    for_people = settings.output_format in FOR_PEOPLE
    if options["statistics"]:
        text = _statistics(report.diagnostics, settings.output_format)
    else:
        book = rule_book(settings.rule_folders)
        text = render(settings.output_format, report.diagnostics, View(lines=report.lines, rules=book, color=color))
    if for_people and not options["quiet"]:
        if not report.files:
            click.echo("warning: no Python files found under the given paths", err=True)
        text += _summary(report, paint)
    if file is None:
        click.echo(text, nl=False, color=color)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise click.UsageError(f"cannot write {file}: {problem.strerror}") from None


def _wants_color(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _summary(report: Report, paint: Paint) -> str:
    """``Found 3 errors and 1 warning in 12 files (4 recurrent)``."""
    where = f"{_counted(report.files, 'file')} ({report.candidates} recurrent)"
    if not report.diagnostics:
        return f"{paint.good('All checks passed!')} {where}\n"
    counts = Counter(found.severity for found in report.diagnostics)
    parts = [_counted(counts[severity], severity.value) for severity in tuple(Severity) if counts[severity]]
    return f"Found {', '.join(parts)} in {where}\n"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _statistics(diagnostics: Sequence[Diagnostic], output_format: str) -> str:
    counts = Counter((found.code, found.name) for found in diagnostics)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if output_format in ("json", "json-lines"):
        import json

        records = [{"code": code, "name": name, "count": count} for (code, name), count in ordered]
        if output_format == "json":
            return json.dumps(records, indent=2) + "\n"
        return "".join(json.dumps(record) + "\n" for record in records)
    width = max((len(str(count)) for count in counts.values()), default=0)
    return "".join(f"{count:>{width}}  {code}  {name}\n" for (code, name), count in ordered)


# -- rule ----------------------------------------------------------------------------------------------------------


@commands.command()
@click.argument("code", required=False)
@click.option("--all", "everything", is_flag=True, help="Print every page.")
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", help="How to print. [default: text]"
)
@_with_settings
def rule(
    code: str | None, everything: bool, output_format: str, config: tuple[Path | None, dict[str, Any]], isolated: bool
) -> None:
    """Print the page of a rule (a code or a name), or list all rules."""
    if code is not None and everything:
        raise click.UsageError("give a rule or --all, not both")
    settings = _here(config, isolated)
    book = RuleBook.load(settings.rule_folders)
    rules = [book[book.find(code)]] if code is not None else list(book)
    if output_format == "json":
        import json

        records = [_rule_record(rule) for rule in rules]
        click.echo(json.dumps(records[0] if code is not None else records, indent=2))
    elif code is not None or everything:
        _print_pages(rules)
    else:
        for item in rules:
            click.echo(f"{item.code}  {item.severity.value:<7}  {item.name:<28}  {item.summary}")


def _rule_record(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "summary": rule.summary,
        "since": rule.since,
        "fix": rule.fix,
        "static": rule.static,
        "runtime": rule.runtime,
        "silent": rule.silent,
        "url": rule.url or None,
        "text": rule.text,
    }


def _print_pages(rules: Sequence[Rule]) -> None:
    if not sys.stdout.isatty():
        click.echo("\n".join(rule.text for rule in rules), nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    for rule in rules:
        console.print(Markdown(rule.text))


# -- config --------------------------------------------------------------------------------------------------------


@commands.command()
@click.argument("key", required=False)
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", help="How to print. [default: text]"
)
@_with_settings
def config(key: str | None, output_format: str, config: tuple[Path | None, dict[str, Any]], isolated: bool) -> None:
    """Print the settings in force in the current folder, and where they come from."""
    settings = _here(config, isolated)
    values = by_key(settings)
    if key is not None and key not in values:
        raise click.UsageError(f"there is no setting `{key}`{suggestion(key, values)}")
    shown = values if key is None else {key: values[key]}
    if output_format == "json":
        import json

        click.echo(
            json.dumps({"source": str(settings.source) if settings.source else None, "settings": shown}, indent=2)
        )
        return
    click.echo(f"# {settings.source or 'defaults: no settings file was found'}")
    for name, value in shown.items():
        click.echo(f"{name} = {_toml(value)}")


def _here(config: tuple[Path | None, dict[str, Any]], isolated: bool) -> Settings:
    file, values = config
    return SettingsResolver(Overrides(isolated=isolated, config=file, values=values)).in_folder(Path.cwd())


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            import json

            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{_toml(name)} = {_toml(item)}' for name, item in value.items())}}}"
        case _:
            return str(value)
