"""What a run prints: a line for each package, the totals, and the comparison with the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.wild.checking import Checked
from benchmarks.wild.verdicts import Comparison, Found, Severity

LINES_PER_ALARM = 20_000
"""An error-level false alarm is at most to be met once in so many lines of recurrent files."""

HEADER = (
    f"{'package':<34}{'files':>6}{'recurrent':>10}{'lines':>8}{'seconds':>9}{'lines/s':>9}"
    f"{'errors':>8}{'warn':>6}{'notes':>7}  {'slowest file':<48}findings by rule"
)


def line(checked: Checked) -> str:
    """One package. The lines are those of its recurrent files."""
    counts = _by_severity([checked])
    seconds, file = checked.slowest
    slowest = f"{seconds:.2f} s {_short(file, 40)}" if file else ""
    return (
        f"{checked.package.folder:<34}{checked.files:>6}{checked.recurrent_files:>10}{checked.recurrent_lines:>8}"
        f"{checked.seconds:>9.2f}{checked.speed:>9,.0f}{_counts(counts)}  {slowest:<48}{_by_rule([checked])}"
    )


def totals(rows: Sequence[Checked]) -> Iterator[str]:
    """The sums of all packages."""
    lines, seconds = sum(row.recurrent_lines for row in rows), sum(row.seconds for row in rows)
    slowest = max((row.slowest for row in rows), default=(0.0, ""))
    yield (
        f"{f'{len(rows)} packages':<34}{sum(row.files for row in rows):>6}{sum(row.recurrent_files for row in rows):>10}"
        f"{lines:>8}{seconds:>9.2f}{lines / seconds if seconds else 0:>9,.0f}{_counts(_by_severity(rows))}"
        f"  {f'{slowest[0]:.2f} s {_short(slowest[1], 40)}' if slowest[1] else '':<48}{_by_rule(rows)}"
    )


def comparison(compared: Comparison, rows: Sequence[Checked]) -> Iterator[str]:
    """The precision, and what differs from the table."""
    lines = sum(row.recurrent_lines for row in rows)
    for severity in (Severity.ERROR, Severity.WARNING):
        true, read = compared.precision(severity)
        unread = sum(found.severity is severity for found in compared.unread)
        share = f"{true / read:.1%}" if read else "-"
        yield f"{severity.value}s: {true} true of {read} read ({share}), {unread} new and unread"
    alarms = compared.alarms(Severity.ERROR)
    yield f"false alarms at level error: {alarms} in {lines:,} lines of recurrent files, {_rate(alarms, lines)}"
    yield from _part("known to be wrong and back", compared.came_back)
    yield from _part("known to be wrong, and stands", compared.standing)
    yield from _part("internal errors", compared.broken)
    yield from _part("new, unread", compared.unread)
    for verdict in compared.vanished:
        yield f"vanished: {verdict.spot} ({verdict.reason})"


def _rate(alarms: int, lines: int) -> str:
    return f"{alarms * LINES_PER_ALARM / lines if lines else 0:.2f} in {LINES_PER_ALARM:,}"


def _part(title: str, found: Iterable[Found]) -> Iterator[str]:
    for one in found:
        yield f"{title}: {one.spot} {one.severity.value}: {one.message}"


def _by_severity(rows: Iterable[Checked]) -> Counter[Severity]:
    return Counter(found.severity for row in rows for found in row.found)


def _counts(counts: Counter[Severity]) -> str:
    return f"{counts[Severity.ERROR]:>8}{counts[Severity.WARNING]:>6}{counts[Severity.NOTE]:>7}"


def _by_rule(rows: Iterable[Checked]) -> str:
    counts = Counter(found.spot.code for row in rows for found in row.found)
    return " ".join(f"{code}:{count}" for code, count in sorted(counts.items()))


def _short(file: str, width: int) -> str:
    return file if len(file) <= width else "…" + file[1 - width :]
