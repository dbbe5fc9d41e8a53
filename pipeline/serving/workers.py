"""Processes that answer at one address: started, replaced when one ends by itself, ended together.

They share the listening socket, from which the system gives each connection to one of them, and nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from pipeline.errors import WorkersEndError
from pipeline.runtime.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

# A worker that ends sooner could not begin: the configuration or the lake is at fault.
SECONDS_TO_BEGIN = 10.0
# So often in a row before all is given up.
MOST_FALSE_STARTS = 3
LOOK_SECONDS = 1.0


def run(count: int, work: Callable[..., None], *given: Any, grace_seconds: float) -> None:  # noqa: ANN401 - work's
    """Until SIGTERM or SIGINT: `count` processes that do `work(number, *given)`, each with a number from 1.

    Raises WorkersEndError if they end as soon as they have begun.
    """
    # Spawned, not forked: threads of the libraries would not be there in a fork.
    processes = multiprocessing.get_context("spawn")

    def started(number: int) -> BaseProcess:
        process = processes.Process(target=_until_orphaned, args=(work, number, *given), name=f"worker {number}")
        process.start()
        return process

    stop = threading.Event()
    before = {each: signal.signal(each, lambda *_: stop.set()) for each in (signal.SIGTERM, signal.SIGINT)}
    workers = {number: started(number) for number in range(1, count + 1)}
    try:
        _watch(workers, started, stop)
    finally:
        for process in workers.values():
            process.terminate()
        end = time.monotonic() + grace_seconds
        for process in workers.values():
            process.join(max(0.0, end - time.monotonic()))
            process.kill()
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(workers: dict[int, BaseProcess], started: Callable[[int], BaseProcess], stop: threading.Event) -> None:
    log, false_starts = Log("serve"), 0
    begun = dict.fromkeys(workers, time.monotonic())
    while not stop.is_set():
        connection.wait([process.sentinel for process in workers.values()], LOOK_SECONDS)
        for number, process in workers.items():
            if process.exitcode is None or stop.is_set():
                continue
            false_starts = false_starts + 1 if time.monotonic() - begun[number] < SECONDS_TO_BEGIN else 0
            if false_starts == MOST_FALSE_STARTS:
                raise WorkersEndError(process.exitcode)
            log.warning("a worker ended and is started again", worker=number, exit_code=process.exitcode)
            workers[number], begun[number] = started(number), time.monotonic()


def _until_orphaned(work: Callable[..., None], number: int, *given: Any) -> None:  # noqa: ANN401 - work's
    """In the worker: end when the process that started it is gone, however it ended."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    # A terminal sends its interrupt to all: the parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(number, *given)
