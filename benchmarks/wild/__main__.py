"""``python -m benchmarks.wild``: fetch the packages, check them, compare with the table."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import platformdirs

from benchmarks.wild import report
from benchmarks.wild.checking import check
from benchmarks.wild.packages import LIST, FetchProblem, fetch, read_list
from benchmarks.wild.verdicts import TABLE, compare, read_table


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--cache-dir", type=click.Path(path_type=Path), help="Where packages are kept (else the user's cache folder)."
)
@click.option("--list", "listed", type=click.Path(path_type=Path), default=LIST, help="Another list of packages.")
@click.option("--table", type=click.Path(path_type=Path), default=TABLE, help="Another table of verdicts.")
@click.option("--slowest/--no-slowest", default=True, help="Time each recurrent file by itself, too.")
def main(names: tuple[str, ...], cache_dir: Path | None, listed: Path, table: Path, slowest: bool) -> None:
    """Check public packages with recurrent models, all of the list or those NAMED, and compare the findings with the
    verdicts. The exit status is 1 if a finding that is known to be wrong is back or the checker fails on a file, 2 if a
    package can't be fetched."""
    packages = read_list(listed)
    unknown = set(names) - {package.name for package in packages}
    if unknown:
        raise click.UsageError(f"not on the list: {', '.join(sorted(unknown))}")
    verdicts = read_table(packages, table)
    cache = cache_dir or platformdirs.user_cache_path("rnnshape-guard") / "wild"
    rows, missing = [], []
    click.echo(report.HEADER)
    for package in packages:
        if names and package.name not in names:
            continue
        try:
            folder = fetch(package, cache)
        except FetchProblem as problem:
            missing.append(f"{package.folder} could not be fetched: {problem}")
            continue
        rows.append(check(package, folder, time_files=slowest))
        click.echo(report.line(rows[-1]))
    compared = compare((found for row in rows for found in row.found), verdicts, [row.package.name for row in rows])
    for text in (*report.totals(rows), "", *report.comparison(compared, rows), *missing):
        click.echo(text)
    sys.exit(1 if compared.fails else 2 if missing else 0)


if __name__ == "__main__":
    main()
