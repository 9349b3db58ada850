"""Running a call under a torch-function mode that carries axes and atoms beside the tensors.

`run_traced` is what the guard calls for the first call of a new structure; `trace` is the public table of it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from rnnshape_guard.checks import registry
from rnnshape_guard.checks.roots import one_for_each_cause
from rnnshape_guard.events import Called, LayerCalled, Log, Value
from rnnshape_guard.findings import Finding, Severity
from rnnshape_guard.runtime.concluding import Disagreement
from rnnshape_guard.runtime.errors import Binding, ShapeContractError, at_user_line
from rnnshape_guard.runtime.in_force import book_of, checks_of, settings_of_call, severity_of, standing
from rnnshape_guard.runtime.postmortem import examine
from rnnshape_guard.runtime.sizes import plain, sweep
from rnnshape_guard.runtime.tracer import Tracer, current
from rnnshape_guard.settings import Settings


class TracingWarning(UserWarning):
    """Tracing was wrong about a program that runs: a bug of rnnshape_guard, not of the program."""


@dataclass(slots=True)
class Traced:
    """One call that ran under tracing.

    `result` is what the function returned; `error` what it raised instead (torch's own words), if it did. `findings`
    are all judgements; `violations` those that are no mere notes. `raise_first` raises the first violation as a
    ShapeContractError (from `error`), else `error` itself, else does nothing.
    """

    result: Any
    log: Log
    findings: list[Finding]
    error: BaseException | None = None
    bindings: Mapping[str, Binding] = field(default_factory=dict)
    paths: Mapping[int, str] = field(default_factory=dict)
    disagreements: Sequence[Disagreement] = ()
    settings: Settings = field(default_factory=Settings)

    @property
    def violations(self) -> list[ShapeContractError]:
        """The findings that weigh more than a note, as errors ready to be raised."""
        book = book_of(self.settings.rule_folders)
        weighed = [(severity_of(finding, book), finding) for finding in self.findings]
        # Torch's own refusal is an error: the warning that came before it is not what stopped the program.
        weighed.sort(key=lambda pair: -pair[0].weight if self.error is not None else 0)
        return [
            ShapeContractError(finding, layer=self._layer(finding), bindings=self.bindings)
            for severity, finding in weighed
            if severity is not Severity.NOTE
        ]

    def raise_first(self) -> None:
        """Raise the first violation from torch's error, or torch's error alone."""
        violations = self.violations
        if violations:
            raise at_user_line(violations[0], violations[0].place) from self.error
        if self.error is not None:
            raise self.error

    def _layer(self, finding: Finding) -> str:
        """The path of the layer that a finding is about: that of the call it was caused by, or stands at."""
        events = self.log.events
        cause = events[finding.cause] if 0 <= finding.cause < len(events) else None
        calls = [cause] if isinstance(cause, LayerCalled) else []
        calls += [event for event in self.log.all(LayerCalled) if event.place == finding.place]
        calls += [event for event in self.log.all(LayerCalled) if finding.place in _places(event)]
        return next((path for call in calls if (path := self.paths.get(call.layer.id, ""))), "")


def _places(call: LayerCalled) -> list[Any]:
    return [call.layer.place, *call.layer.argument_places.values()]


def run_traced(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    module: nn.Module | None = None,
    bindings: Mapping[str, Binding] | None = None,
) -> Traced:
    """Call ``function(*args, **kwargs)`` under tracing and judge what happened.

    `module` is the model whose layers get their paths (``encoder.lstm``) from it; `bindings` are shown with errors.
    The function's own exception is never raised from here: it stands in `Traced.error`. Nested calls (a guarded
    module inside a guarded module) do not trace again: they run as they are.
    """
    if current() is not None:
        return Traced(function(*args, **(kwargs or {})), Log(), [])
    settings = settings_of_call(module if module is not None else function)
    tracer = Tracer(settings.roles)
    if module is not None:
        tracer.adopt(module)
    result: Any = None
    error: BaseException | None = None
    try:
        with _eager(), tracer.watching():
            result = function(*args, **(kwargs or {}))
    except Exception as raised:  # noqa: BLE001 - it is handed on, as the caller wants it
        error = raised
    finally:
        for part in {id(one): one for one in (module, function) if isinstance(one, nn.Module)}.values():
            sweep(part)
        tracer.sweep()
    findings = _judged(tracer, error, settings)
    _report(tracer)
    paths, disagreements = tracer.layer_paths(), tuple(tracer.disagreements)
    return Traced(plain(result), tracer.log, findings, error, bindings or {}, paths, disagreements, settings)


@contextmanager
def _eager() -> Iterator[None]:
    """Compiled parts run as they are written, for this one call."""
    # Importing the compiler takes a second; where nobody has, nothing is compiled.
    stance = getattr(torch.compiler, "set_stance", None) if "torch._dynamo" in sys.modules else None
    if stance is None:
        yield
        return
    with stance("force_eager"):
        yield


def _judged(tracer: Tracer, error: BaseException | None, settings: Settings) -> list[Finding]:
    try:
        if error is not None:
            examine(tracer, error)
        tracer.reader.settle()
        judged = registry.findings(tracer.log, checks_of(settings.rule_folders))
        return standing(_once(one_for_each_cause(judged)), settings)
    except Exception as fault:  # noqa: BLE001 - a rule that fails is our bug, and no reason to stop the program
        tracer.fault(fault)
        return []


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each rule and place: a loop passes its lines again and again."""
    seen: set[tuple[str, Any]] = set()
    for finding in findings:
        key = finding.code, getattr(finding.place, "key", None)
        if key not in seen or key[1] is None:
            seen.add(key)
            yield finding


def _report(tracer: Tracer) -> None:
    """Say what we were wrong about, and go on."""
    for disagreement in tracer.disagreements[:3]:
        warnings.warn(f"rnnshape_guard traced wrong axes (its bug): {disagreement}", TracingWarning, stacklevel=4)
    for fault in tracer.faults[:3]:
        warnings.warn(f"rnnshape_guard failed to trace (its bug): {fault!r}", TracingWarning, stacklevel=4)


def declare(tensor: Any, axes: str, *, text: str) -> None:
    """Inside a traced call: state the axes of a tensor, ``declare(x, "batch time 2*hidden", text='shaped(x, "…")')``.

    Names that are roles become declared evidence. Outside a traced call it does nothing.
    """
    tracer = current()
    if tracer is not None:
        tracer.declare(tensor, axes, text)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a trace: where, what was written, which operation, and the axes that came out."""

    line: int
    text: str
    operation: str
    shapes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a model did with its inputs: a row for each operation and layer, printable."""

    rows: tuple[Row, ...]
    traced: Traced

    def __str__(self) -> str:
        table = [
            ("line", "operation", "shapes", "written"),
            *((str(r.line), r.operation, " ".join(r.shapes), r.text) for r in self.rows),
        ]
        widths = [max(len(row[at]) for row in table) for at in range(3)]
        lines = ["  ".join((*(row[at].ljust(widths[at]) for at in range(3)), row[3])).rstrip() for row in table]
        return "\n".join(lines)


def trace(model: Callable[..., Any], *inputs: Any, **keywords: Any) -> Trace:
    """Run a model once and give the table of its operations, lines, shapes and axis names.

    Findings do not raise here: they stand in `Trace.traced`. An exception of the model's own is raised.
    """
    module = model if isinstance(model, nn.Module) else None
    traced = run_traced(model, inputs, keywords, module=module)
    if traced.error is not None and not traced.findings:
        raise traced.error
    return Trace(tuple(_rows(traced.log)), traced)


def _rows(log: Log) -> Iterator[Row]:
    from rnnshape_guard.checks import wording
    from rnnshape_guard.events import Handed, values_in

    for event in log.events:
        if not isinstance(event, Called) or isinstance(event, Handed):
            continue
        values: list[Value] = list(values_in(event.result))
        name = f"nn.{event.layer.spec.kind}" if isinstance(event, LayerCalled) else getattr(event, "name", "")  # type: ignore[attr-defined]
        place: Any = event.place
        yield Row(place.span.start.row, place.text, name, tuple(wording.shape(value) for value in values))
