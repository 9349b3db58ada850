"""Judging one file after another: screen, decode, parse, examine. Whatever goes wrong is part of the answer."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnnshape_guard import suppressions
from rnnshape_guard.findings import Diagnostic, Position, Severity, Span
from rnnshape_guard.static import limits
from rnnshape_guard.static.outcomes import UNASKED, Outcome, Trail
from rnnshape_guard.static.parsing import SyntaxProblem, parse, python_problem
from rnnshape_guard.static.project import Project, read_outline
from rnnshape_guard.static.sources import MAX_BYTES, ReadProblem, decode, may_matter

if TYPE_CHECKING:
    from rnnshape_guard.settings import Settings
    from rnnshape_guard.static.survey import Survey

SYNTAX_ERROR = "RSG000"
INTERNAL_ERROR = "RSG001"

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


class Analyst:
    """Judges files one after another, and knows again what it read for the last. `survey` may know what stands in files
    without reading them."""

    def __init__(self, survey: Survey | None = None) -> None:
        self._survey = survey
        self._projects: dict[str, Project] = {}

    @property
    def read(self) -> frozenset[str]:
        """The files that were parsed so far, for themselves or for what imports them."""
        return frozenset(file for project in self._projects.values() for file in project.read)

    def analyse(self, job: Job) -> Judged:
        """Judge one file. Whatever goes wrong is part of the answer; nothing is raised."""
        before, collecting = sys.getrecursionlimit(), gc.isenabled()
        sys.setrecursionlimit(max(before, RECURSION_LIMIT))
        gc.disable()
        try:
            return self._analyse(job)
        except Exception as error:  # noqa: BLE001 - the run goes on with the other files
            import traceback

            return failure(job, _sentence(error), traceback.format_exc(limit=-50))
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
            return refusal(job, f"{excess.message}, so it is not parsed", excess.row, candidate=candidate)
        try:
            text = decode(job.source)
        except ReadProblem as problem:
            return refusal(job, problem.message, problem.row, candidate=candidate)
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
            return refusal(job, problem.message, problem.row, problem.column, candidate=candidate)
        return Judged(job, Outcome(suppresses=suppresses), project.take_trail() if project is not None else UNASKED)

    def _project(self, job: Job) -> Project:
        root = job.settings.root.as_posix()
        project = self._projects.get(root)
        if project is None:
            known = self._survey.outline if self._survey is not None else read_outline
            project = self._projects[root] = Project(root, known)
        project.give(job.path, job.source)
        return project


def refusal(job: Job, message: str, row: int = 1, column: int = 1, *, candidate: bool = False) -> Judged:
    """A file that cannot be judged, and is to blame."""
    refused = _about_file(SYNTAX_ERROR, "syntax-error", job.path, message, row, column)
    return Judged(job, Outcome((refused,), candidate=candidate))


def failure(job: Job, message: str, trace: str) -> Judged:
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
