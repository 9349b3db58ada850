"""A run of the static checker: find files, read, screen, parse, judge, suppress, sort.

A file that cannot be judged is a finding of its own (RSG000 if the file is to blame, RSG001 if the checker is), and the
run goes on. Enough work is shared out to processes; one that dies takes nothing with it but the file it died on.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rnnshape_guard import suppressions
from rnnshape_guard.findings import Diagnostic, Position, Severity, Span
from rnnshape_guard.rulebook import RuleBook
from rnnshape_guard.static import globs, limits
from rnnshape_guard.static.parsing import SyntaxProblem, parse, python_problem
from rnnshape_guard.static.sources import (
    MAX_BYTES,
    ReadProblem,
    Source,
    decode,
    discover,
    is_excluded,
    may_matter,
    read_bytes,
    split_lines,
)

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

    from rnnshape_guard.settings import Settings, SettingsResolver

SYNTAX_ERROR = "RSG000"
INTERNAL_ERROR = "RSG001"
STDIN = "-"

WORTH_WORKERS = 150_000
"""Bytes of candidates from which on starting processes pays: half a second of work."""

RECURSION_LIMIT = 6_000
"""Enough Python frames for the longest chain that `limits` lets through; such frames use no C stack."""

_SUPPRESSION_TOKENS = (b"rnnshape", b"RSG")


@dataclass(frozen=True, slots=True)
class Job:
    """One file to judge: its bytes, the settings it falls under, and the rules that are on for it."""

    filename: str
    source: bytes
    settings: Settings
    selected: frozenset[str]
    named: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one file; `failure` is the traceback if the checker broke on it."""

    filename: str
    diagnostics: tuple[Diagnostic, ...]
    candidate: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run found, in the order of files and places."""

    diagnostics: tuple[Diagnostic, ...]
    files: int
    """How many files were looked at."""
    candidates: int
    """How many of them may hold a recurrent layer and were parsed."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """The traceback of each internal error, by file."""
    texts: Mapping[str, str] = field(default_factory=dict)

    def lines(self, filename: str) -> list[str]:
        """The lines of a file that was checked; none if it can no longer be read."""
        text = self.texts.get(filename)
        if text is not None:
            return split_lines(text)
        try:
            source = read_bytes(filename)
        except ReadProblem:
            return []
        try:
            return split_lines(decode(source))
        except ReadProblem:
            return split_lines(source.decode("utf-8", errors="replace"))


def check_paths(
    paths: Iterable[str],
    resolver: SettingsResolver,
    *,
    jobs: int = 0,
    on_file: Callable[[int], None] | None = None,
) -> Report:
    """Check files and folders. `jobs` is the number of processes, 0 for one per processor.

    `on_file` is told how many files have been looked at, as they are. Raises `UnknownRule`, `PageProblem` or
    `SettingsProblem` for settings that cannot be used.
    """
    run = _Run(resolver)
    judged: list[Judged] = []
    for item in _share_out(run.work(paths), jobs or os.cpu_count() or 1):
        judged.append(item)
        if on_file is not None:
            on_file(run.files)
    return run.report([*judged, *run.unread])


def check_text(source: bytes, filename: str, resolver: SettingsResolver) -> Report:
    """Check one module that is not (or not yet) a file: standard input, an editor's buffer."""
    run = _Run(resolver)
    path = Path(filename if filename != STDIN else "stdin.py").absolute()
    settings = resolver.in_folder(path.parent)
    if settings.force_exclude and is_excluded(str(path), settings):
        return run.report([])
    run.files = 1
    report = run.report([analyse(run.job(Source(filename, settings, named=True), source[: MAX_BYTES + 1]))])
    return replace(report, texts={filename: source.decode("utf-8", errors="replace")})


class _Run:
    """One run: its counts, and what it knows about rules."""

    def __init__(self, resolver: SettingsResolver) -> None:
        self._resolver = resolver
        self._selected: dict[int, tuple[Settings, frozenset[str]]] = {}
        self.files = 0
        self.unread: list[Judged] = []

    def work(self, paths: Iterable[str]) -> Iterator[Job]:
        """A job for every file that has to be looked into; files that cannot be read go to `unread`."""
        for source in discover(paths, self._resolver.in_folder):
            self.files += 1
            if source.named and source.filename.endswith(".ipynb"):
                problem = "notebooks are not checked, only .py files are"
                self.unread.append(Judged(source.filename, (_refused(source.filename, problem),)))
                continue
            try:
                content = read_bytes(source.filename)
            except ReadProblem as unreadable:
                self.unread.append(Judged(source.filename, (_refused(source.filename, unreadable.message),)))
                continue
            if source.named or may_matter(content) or any(token in content for token in _SUPPRESSION_TOKENS):
                yield self.job(source, content)

    def job(self, source: Source, content: bytes) -> Job:
        settings = source.settings
        _, selected = self._selected.get(id(settings), (None, None))
        if selected is None:
            selected = rule_book(settings.rule_folders).select(settings)
            self._selected[id(settings)] = (settings, selected)
        path = Path(source.filename).absolute().as_posix() if settings.per_file_ignores else ""
        for pattern, codes in settings.per_file_ignores.items():
            if globs.matches(path, (pattern.removeprefix("!"),), settings.root) != pattern.startswith("!"):
                book = rule_book(settings.rule_folders)
                selected = selected.difference(*(book.matching(code) for code in codes))
        return Job(source.filename, content, settings, selected, source.named)

    def report(self, judged: Iterable[Judged]) -> Report:
        items = list(judged)
        found = chain.from_iterable(item.diagnostics for item in items)
        return Report(
            diagnostics=tuple(sorted(found, key=lambda it: (it.span.filename, it.span.start, it.code, it.message))),
            files=self.files,
            candidates=sum(item.candidate for item in items),
            failures={item.filename: item.failure for item in items if item.failure},
        )


@functools.lru_cache(maxsize=16)
def rule_book(folders: tuple[Path, ...]) -> RuleBook:
    """The rules that come with the tool and those in `folders`, listed once in each process."""
    return RuleBook.load(folders)


# -- one file ------------------------------------------------------------------------------------------------------


def analyse(job: Job) -> Judged:
    """Judge one file. Whatever goes wrong is part of the answer; nothing is raised."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        candidate, diagnostics = _analyse(job)
    except Exception as error:  # noqa: BLE001 - the run goes on with the other files
        return Judged(job.filename, (_internal(job.filename, _sentence(error)),), True, traceback.format_exc(limit=-50))
    finally:
        sys.setrecursionlimit(before)
    return Judged(job.filename, tuple(diagnostics), candidate)


def _analyse(job: Job) -> tuple[bool, list[Diagnostic]]:
    candidate = may_matter(job.source)
    if not candidate and not job.named and not any(token in job.source for token in _SUPPRESSION_TOKENS):
        return False, []
    excess = limits.excess(job.source, MAX_BYTES)
    if excess is not None:
        return candidate, [_refused(job.filename, f"{excess.message}, so it is not parsed", excess.row)]
    try:
        text = decode(job.source)
    except ReadProblem as problem:
        return candidate, [_refused(job.filename, problem.message, problem.row)]
    if suppressions.may_skip_file(text) and suppressions.read_suppressions(text, job.filename).skips_file:
        return candidate, []
    diagnostics: list[Diagnostic] = []
    try:
        if candidate:
            module = parse(text)
            from rnnshape_guard.static.judgement import judge  # loads libcst, which only a candidate needs

            diagnostics = [found for found in judge(module, job.filename, job.settings) if found.code in job.selected]
        elif job.named and python_problem(text) is not None:
            parse(text)
    except SyntaxProblem as problem:
        return candidate, [_refused(job.filename, problem.message, problem.row, problem.column)]
    if diagnostics or suppressions.may_be_unused(text):
        found = suppressions.read_suppressions(text, job.filename)
        diagnostics = suppressions.apply(diagnostics, found, rule_book(job.settings.rule_folders), job.selected)
    return candidate, diagnostics


def _refused(filename: str, message: str, row: int = 1, column: int = 1) -> Diagnostic:
    return _about_file(SYNTAX_ERROR, "syntax-error", filename, message, row, column)


def _internal(filename: str, message: str) -> Diagnostic:
    return replace(
        _about_file(INTERNAL_ERROR, "internal-error", filename, f"the checker failed on this file: {message}", 1, 1),
        help=f"please report this as a bug, with what `rnnshape-guard check --verbose {filename}` prints",
    )


def _about_file(code: str, name: str, filename: str, message: str, row: int, column: int) -> Diagnostic:
    start = Position(row, column)
    return Diagnostic(
        code=code,
        name=name,
        severity=Severity.ERROR,
        message=message,
        span=Span(filename, start, Position(row, column + 1)),
    )


def _sentence(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:200]}" if words else type(error).__name__


# -- many files ----------------------------------------------------------------------------------------------------


def _share_out(jobs: Iterator[Job], workers: int) -> Iterator[Judged]:
    """Judge all jobs: here if there is little to do or one worker to do it, else in processes."""
    if workers > 1:
        first: list[Job] = []
        size = 0
        for job in jobs:
            first.append(job)
            size += len(job.source)
            if size > WORTH_WORKERS and len(first) > 1:
                yield from _in_workers(chain(first, jobs), workers)
                return
        jobs = iter(first)
    yield from map(analyse, jobs)


def _in_workers(jobs: Iterator[Job], workers: int) -> Iterator[Judged]:
    """Judge in processes, a few files ahead, so that memory does not grow with the number of files.

    If a worker dies, any of the files under way may be the cause: each is tried again alone, and the one that
    kills its worker once more is reported.
    """
    import multiprocessing
    from concurrent.futures.process import BrokenProcessPool

    pool = _pool(workers)
    pending: dict[Future[Judged], Job] = {}
    try:
        while True:
            lost: list[Job] = []
            while len(pending) < 2 * workers and not lost:
                job = next(jobs, None)
                if job is None:
                    break
                try:
                    pending[pool.submit(analyse, job)] = job
                except BrokenProcessPool:
                    lost.append(job)
            if not pending and not lost:
                return
            done = wait(pending, return_when=FIRST_COMPLETED).done if pending else set()
            for future in done:
                job = pending.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost.append(job)
            if lost:
                lost.extend(pending.values())
                pending.clear()
                pool.shutdown(wait=False)
                for job in lost:
                    yield _alone(job)
                pool = _pool(workers)
    except BaseException:
        # Ctrl-C, or settings that turn out to be wrong: nobody waits for what is still under way.
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _alone(job: Job) -> Judged:
    from concurrent.futures.process import BrokenProcessPool

    with _pool(1) as pool:
        try:
            return pool.submit(analyse, job).result()
        except BrokenProcessPool:
            message = "the process that judged it died"
            return Judged(job.filename, (_internal(job.filename, message),), True, message)


def _pool(workers: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking is quickest, and safe here: no thread runs yet when the first pool starts, and the threads of a pool
    # that broke hold no lock a worker needs.
    method = "fork" if sys.platform == "linux" else "spawn"
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method), initializer=_start_worker)


def _start_worker() -> None:
    # Ctrl-C is the main process's to handle; workers would only add tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
