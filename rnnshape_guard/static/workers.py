"""Sharing the judging of many files out to processes, where there is enough of it.

A process that dies takes nothing with it but the file it died on.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from rnnshape_guard.static.analyst import Analyst, Job, Judged, failure

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

BATCH = 60_000
"""Bytes of candidates that are handed to a worker at once."""

WORTH_WORKERS = 150_000
"""Bytes of candidates from which on starting processes pays: half a second of work."""


def share_out(jobs: Iterator[Job], workers: int, analyst: Analyst) -> Iterator[Judged]:
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
    from concurrent.futures import FIRST_COMPLETED, wait  # 15 ms that a run without workers need not pay
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
            return failure(job, message, message)


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
