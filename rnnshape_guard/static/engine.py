"""A run of the static checker: find files, read, screen, parse, judge, settle, suppress, sort.

A file that cannot be judged is a finding of its own (RSG000 if the file is to blame, RSG001 if the checker is), and the
run goes on. Enough work is shared out to processes; one that dies takes nothing with it but the file it died on.
"""

from __future__ import annotations

import functools
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rnnshape_guard import suppressions
from rnnshape_guard.findings import Diagnostic, Note, Position, Severity, Span
from rnnshape_guard.rulebook import RuleBook
from rnnshape_guard.static import globs, limits
from rnnshape_guard.static.cache import Cache
from rnnshape_guard.static.outcomes import UNASKED, Outcome, Trail
from rnnshape_guard.static.parsing import SyntaxProblem, parse, python_problem
from rnnshape_guard.static.project import Project, read_outline
from rnnshape_guard.static.recall import Recall
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
from rnnshape_guard.static.survey import Survey
from rnnshape_guard.static.verdicts import settle

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

    from rnnshape_guard.settings import Settings, SettingsResolver

SYNTAX_ERROR = "RSG000"
INTERNAL_ERROR = "RSG001"
STDIN = "-"

BATCH = 60_000
"""Bytes of candidates that are handed to a worker at once."""

WORTH_WORKERS = 150_000
"""Bytes of candidates from which on starting processes pays: half a second of work."""

RECURSION_LIMIT = 6_000
"""Enough Python frames for the longest chain that `limits` lets through; such frames use no C stack."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to judge: its name as reports print it, its absolute path, its bytes, and the settings it falls under.
    What comes of it may be kept unless the file changed since it was first looked at."""

    filename: str
    path: str
    source: bytes
    settings: Settings
    named: bool
    may_be_kept: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one file, and what was asked of the project meanwhile; `failure` is the traceback if the checker broke
    on it."""

    job: Job
    outcome: Outcome
    trail: Trail = UNASKED
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
    cache: Cache | None = None,
    on_file: Callable[[int], None] | None = None,
) -> Report:
    """Check files and folders. `jobs` is the number of processes, 0 for one per processor.

    What the `cache` knows is not judged again. `on_file` is told how many files have been looked at, as they are, and again
    whenever one has been judged. Raises `UnknownRule`, `PageProblem` or `SettingsProblem` for settings that cannot be used.
    """
    with _Run(resolver, cache, on_file or _nobody) as run:
        for item in _share_out(run.unknown(run.work(paths)), jobs or os.cpu_count() or 1, run.analyst):
            run.learn(item)
            run.tell()
        return run.report()


def check_text(source: bytes, filename: str, resolver: SettingsResolver) -> Report:
    """Check one module that is not (or not yet) a file: standard input, an editor's buffer."""
    run = _Run(resolver)
    path = Path(filename if filename != STDIN else "stdin.py").absolute()
    settings = resolver.in_folder(path.parent)
    if settings.force_exclude and is_excluded(str(path), settings):
        return run.report()
    run.files = 1
    job = run.job(Source(filename, str(path), settings, named=True), source[: MAX_BYTES + 1])
    text = source.decode("utf-8", errors="replace")
    run.judged.append(Analyst().analyse(job))
    return replace(run.report({job.path: source}), texts={filename: text})


def _nobody(files: int) -> None:
    """Is told how many files have been looked at, and does not care."""


class _Run:
    """One run: its counts, what it knows about rules, and what came of its files."""

    def __init__(
        self, resolver: SettingsResolver, cache: Cache | None = None, on_file: Callable[[int], None] = _nobody
    ) -> None:
        self._resolver = resolver
        self._on_file = on_file
        self._cache = cache
        self._survey = Survey(cache)
        self._recall = Recall(cache, self._survey) if cache is not None else None
        self.analyst = Analyst(self._survey if cache is not None else None)
        self._selected: dict[int, tuple[Settings, frozenset[str]]] = {}
        self._jobs: dict[str, tuple[str, Settings]] = {}
        self.files = 0
        self.judged: list[Judged] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is known by now is worth keeping, however the run ends.
        if self._recall is not None:
            self._recall.close()
        self._survey.close()
        if self._cache is not None:
            self._cache.close()

    def tell(self) -> None:
        self._on_file(self.files)

    # -- what is to be judged

    def work(self, paths: Iterable[str]) -> Iterator[Job]:
        """A job for every file that has to be looked into, without its text; files that cannot be read are judged at once.

        Files with anything recurrent in them come first, then those that import one of these, in turn: by the names of
        modules alone, which says too much rather than too little.
        """
        modules: set[str] = set()
        waiting: list[tuple[Source, frozenset[str]]] = []
        for source in discover(paths, self._resolver.in_folder):
            self.files += 1
            self.tell()
            if source.named and source.filename.endswith(".ipynb"):
                self._refuse(source, "notebooks are not checked, only .py files are")
                continue
            try:
                facts = self._survey.facts(source.path)
            except ReadProblem as unreadable:
                self._refuse(source, unreadable.message)
                continue
            if facts.matters:
                modules.add(_module_name(source.path))
            if source.named or facts.matters or facts.suppresses:
                yield self.job(source)
            elif facts.imported:
                waiting.append((source, facts.imported_words(source.path)))
        while waiting:
            importers = [source for source, words in waiting if not words.isdisjoint(modules)]
            if not importers:
                return
            waiting = [item for item in waiting if item[1].isdisjoint(modules)]
            modules = {_module_name(source.path) for source in importers}
            for source in importers:
                yield self.job(source)

    def unknown(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Those of the jobs that have to be done, with the text that is to be judged; the others are done here."""
        # Neighbours import the same files: judged one after another, they find them read.
        for job in sorted(jobs, key=lambda it: it.path):
            outcome = (
                self._recall.outcome(job.path, job.settings, named=job.named) if self._recall is not None else None
            )
            if outcome is not None:
                self.judged.append(Judged(job, outcome))
                continue
            try:
                source = read_bytes(job.path)
            except ReadProblem as unreadable:
                self.judged.append(_refusal(job, unreadable.message))
                continue
            kept = self._recall is not None and self._recall.is_as_surveyed(job.path, source)
            yield replace(job, source=source, may_be_kept=kept)

    def learn(self, judged: Judged) -> None:
        """Take in what came of a job."""
        job = replace(judged.job, source=b"")
        self.judged.append(replace(judged, job=job, trail=UNASKED))
        if self._recall is not None and job.may_be_kept and not judged.failure:
            self._recall.learn(job.path, job.settings, judged.outcome, judged.trail, named=job.named)

    def job(self, source: Source, content: bytes = b"") -> Job:
        self._jobs[source.path] = (source.filename, source.settings)
        self._rules(source.settings)
        return Job(source.filename, source.path, content, source.settings, source.named)

    def _refuse(self, source: Source, problem: str) -> None:
        self.judged.append(_refusal(self.job(source), problem))

    # -- what came of it

    def report(self, sources: Mapping[str, bytes] | None = None) -> Report:
        """Everything put together. `sources` are the texts of files that are not on disk."""
        judged = sorted(self.judged, key=lambda it: it.job.path)
        by_path: dict[str, list[Diagnostic]] = {}
        for diagnostic in settle(it.outcome.judgement for it in judged if it.outcome.judgement is not None):
            by_path.setdefault(diagnostic.span.filename, []).append(diagnostic)
        suppressed = [it.job.path for it in judged if it.outcome.suppresses]
        found = [refusal for it in judged for refusal in it.outcome.refusals]
        for path in dict.fromkeys([*by_path, *suppressed]):
            found += self._left(path, by_path.get(path, []), sources or {})
        shown = [self._as_shown(diagnostic) for diagnostic in found]
        return Report(
            diagnostics=tuple(sorted(shown, key=lambda it: (it.span.filename, it.span.start, it.code, it.message))),
            files=self.files,
            candidates=sum(it.outcome.candidate for it in judged),
            failures={it.job.filename: it.failure for it in judged if it.failure},
        )

    def _left(self, path: str, diagnostics: list[Diagnostic], sources: Mapping[str, bytes]) -> list[Diagnostic]:
        """The findings in one file that its settings ask for and that nothing in it suppresses."""
        if path in self._jobs:
            _, settings = self._jobs[path]
        else:
            settings = self._resolver.in_folder(Path(path).parent)
            if is_excluded(path, settings):
                return []
        selected = self._selected_for(path, settings)
        left = [found for found in diagnostics if found.code in selected]
        try:
            text = decode(sources[path] if path in sources else read_bytes(path))
        except ReadProblem:
            return left
        if not left and not suppressions.may_be_unused(text):
            return left
        comments = suppressions.read_suppressions(text, path)
        return suppressions.apply(left, comments, rule_book(settings.rule_folders), selected)

    def _rules(self, settings: Settings) -> frozenset[str]:
        known = self._selected.get(id(settings))
        if known is None:
            known = self._selected[id(settings)] = (settings, rule_book(settings.rule_folders).select(settings))
        return known[1]

    def _selected_for(self, path: str, settings: Settings) -> frozenset[str]:
        selected = self._rules(settings)
        for pattern, codes in settings.per_file_ignores.items():
            if globs.matches(Path(path).as_posix(), (pattern.removeprefix("!"),), settings.root) != pattern.startswith(
                "!"
            ):
                book = rule_book(settings.rule_folders)
                selected = selected.difference(*(book.matching(code) for code in codes))
        return selected

    def _as_shown(self, diagnostic: Diagnostic) -> Diagnostic:
        """A finding with files named as they were found or, if they were only imported, from here."""
        return replace(
            diagnostic,
            span=self._shown_span(diagnostic.span),
            labels=tuple(self._shown_note(note) for note in diagnostic.labels),
            evidence=tuple(self._shown_note(note) for note in diagnostic.evidence),
        )

    def _shown_note(self, note: Note) -> Note:
        return note if note.span is None else replace(note, span=self._shown_span(note.span))

    def _shown_span(self, span: Span) -> Span:
        if span.filename in self._jobs:
            return replace(span, filename=self._jobs[span.filename][0])
        path = Path(span.filename)
        return replace(span, filename=str(path.relative_to(Path.cwd()))) if path.is_relative_to(Path.cwd()) else span


def _module_name(path: str) -> str:
    """The last word by which a file is imported."""
    *_, folder, name = ("", *path.rsplit("/", 2))
    return folder if name == "__init__.py" else name.removesuffix(".py")


@functools.lru_cache(maxsize=16)
def rule_book(folders: tuple[Path, ...]) -> RuleBook:
    """The rules that come with the tool and those in `folders`, listed once in each process."""
    return RuleBook.load(folders)


# -- one file ------------------------------------------------------------------------------------------------------


class Analyst:
    """Judges files one after another, and knows again what it read for the last. `survey` may know what stands in files
    without reading them."""

    def __init__(self, survey: Survey | None = None) -> None:
        self._survey = survey
        self._projects: dict[str, Project] = {}

    def analyse(self, job: Job) -> Judged:
        """Judge one file. Whatever goes wrong is part of the answer; nothing is raised."""
        before, collecting = sys.getrecursionlimit(), gc.isenabled()
        sys.setrecursionlimit(max(before, RECURSION_LIMIT))
        gc.disable()
        try:
            return self._analyse(job)
        except Exception as error:  # noqa: BLE001 - the run goes on with the other files
            return _failure(job, _sentence(error), traceback.format_exc(limit=-50))
        finally:
            sys.setrecursionlimit(before)
            # What one file left behind is garbage at once; what is kept of it is never walked through again.
            gc.collect(0)
            if collecting:
                gc.enable()

    def _analyse(self, job: Job) -> Judged:
        candidate = may_matter(job.source)
        excess = limits.excess(job.source, MAX_BYTES)
        if excess is not None:
            return _refusal(job, f"{excess.message}, so it is not parsed", excess.row, candidate=candidate)
        try:
            text = decode(job.source)
        except ReadProblem as problem:
            return _refusal(job, problem.message, problem.row, candidate=candidate)
        if suppressions.may_skip_file(text) and suppressions.read_suppressions(text, job.path).skips_file:
            return Judged(job, Outcome(candidate=candidate))
        suppresses = suppressions.may_be_unused(text)
        try:
            project = self._project(job) if candidate or b"import" in job.source else None
            if project is not None:
                project.take_trail()
            if project is not None and (candidate or project.matters(job.path)):
                from rnnshape_guard.static.judgement import examine  # loads libcst, which only a candidate needs

                judgement = examine(text, job.path, job.settings, project)
                outcome = Outcome(judgement=judgement, candidate=True, suppresses=suppresses)
                return Judged(job, outcome, project.take_trail())
            if job.named and python_problem(text) is not None:
                parse(text)
        except SyntaxProblem as problem:
            return _refusal(job, problem.message, problem.row, problem.column, candidate=candidate)
        return Judged(job, Outcome(suppresses=suppresses), project.take_trail() if project is not None else UNASKED)

    def _project(self, job: Job) -> Project:
        root = job.settings.root.as_posix()
        project = self._projects.get(root)
        if project is None:
            known = self._survey.outline if self._survey is not None else read_outline
            project = self._projects[root] = Project(root, known)
        project.give(job.path, job.source)
        return project


def _refusal(job: Job, message: str, row: int = 1, column: int = 1, *, candidate: bool = False) -> Judged:
    """A file that cannot be judged, and is to blame."""
    refused = _about_file(SYNTAX_ERROR, "syntax-error", job.path, message, row, column)
    return Judged(job, Outcome((refused,), candidate=candidate))


def _failure(job: Job, message: str, trace: str) -> Judged:
    """A file on which the checker broke."""
    internal = replace(
        _about_file(INTERNAL_ERROR, "internal-error", job.path, f"the checker failed on this file: {message}", 1, 1),
        help=f"please report this as a bug, with what `rnnshape-guard check --verbose {job.filename}` prints",
    )
    return Judged(job, Outcome((internal,), candidate=True), failure=trace)


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


def _share_out(jobs: Iterator[Job], workers: int, analyst: Analyst) -> Iterator[Judged]:
    """Judge all jobs: by the analyst here if there is little to do or one worker to do it, else in processes."""
    if workers > 1:
        first: list[Job] = []
        size = 0
        for job in jobs:
            first.append(job)
            size += len(job.source)
            if size > WORTH_WORKERS and len(first) > 1:
                yield from _in_workers(_batches(chain(first, jobs)), workers)
                return
        jobs = iter(first)
    yield from map(analyst.analyse, jobs)


def _batches(jobs: Iterator[Job]) -> Iterator[list[Job]]:
    """Neighbours together: they import the same files, which are then read once."""
    batch: list[Job] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += len(job.source)
        if size > BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _in_workers(batches: Iterator[list[Job]], workers: int) -> Iterator[Judged]:
    """Judge in processes, a few files ahead, so that memory does not grow with the number of files.

    If a worker dies, any of the files under way may be the cause: each is tried again alone, and the one that
    kills its worker once more is reported.
    """
    import multiprocessing
    from concurrent.futures.process import BrokenProcessPool

    pool = _pool(workers)
    pending: dict[Future[list[Judged]], list[Job]] = {}
    try:
        while True:
            lost: list[Job] = []
            while len(pending) < 2 * workers and not lost:
                batch = next(batches, None)
                if batch is None:
                    break
                try:
                    pending[pool.submit(_analyse_all, batch)] = batch
                except BrokenProcessPool:
                    lost += batch
            if not pending and not lost:
                # Left to the interpreter's own end, the pool may be gone by then and a traceback is printed.
                pool.shutdown()
                return
            done = wait(pending, return_when=FIRST_COMPLETED).done if pending else set()
            for future in done:
                batch = pending.pop(future)
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    lost += batch
            if lost:
                lost += chain.from_iterable(pending.values())
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
            return pool.submit(_analyse_all, [job]).result()[0]
        except BrokenProcessPool:
            message = "the process that judged it died"
            return _failure(job, message, message)


def _pool(workers: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking is quickest, and safe here: no thread runs yet when the first pool starts, and the threads of a pool
    # that broke hold no lock a worker needs.
    method = "fork" if sys.platform == "linux" else "spawn"
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method), initializer=_start_worker)


_analysts: list[Analyst] = []
"""The analyst of a worker process."""


def _start_worker() -> None:
    # Ctrl-C is the main process's to handle; workers would only add tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _analysts[:] = [Analyst()]


def _analyse_all(batch: list[Job]) -> list[Judged]:
    # The text need not travel back.
    return [replace(judged, job=replace(judged.job, source=b"")) for judged in map(_analysts[0].analyse, batch)]
