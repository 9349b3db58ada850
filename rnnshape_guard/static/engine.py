"""A run of the static checker: find files, survey them, judge those that are not known, settle, suppress, sort.

A file that cannot be judged is a finding of its own (RSG000 if the file is to blame, RSG001 if the checker is), and the
run goes on.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rnnshape_guard import suppressions
from rnnshape_guard.findings import Diagnostic, Note, Span
from rnnshape_guard.rulebook import RuleBook
from rnnshape_guard.static import globs
from rnnshape_guard.static.analyst import Analyst, Job, Judged, refusal
from rnnshape_guard.static.cache import Cache
from rnnshape_guard.static.outcomes import UNASKED
from rnnshape_guard.static.recall import Recall
from rnnshape_guard.static.sources import (
    MAX_BYTES,
    ReadProblem,
    Source,
    decode,
    discover,
    is_excluded,
    read_bytes,
    split_lines,
)
from rnnshape_guard.static.survey import Survey
from rnnshape_guard.static.verdicts import settle
from rnnshape_guard.static.workers import share_out

if TYPE_CHECKING:
    from rnnshape_guard.settings import Settings, SettingsResolver

STDIN = "-"


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
        for item in share_out(run.unknown(run.work(paths)), jobs or os.cpu_count() or 1, run.analyst):
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
                self.judged.append(refusal(job, unreadable.message))
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
        self.judged.append(refusal(self.job(source), problem))

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
