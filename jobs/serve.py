"""`serve`: the read API over the lake, until a signal says to stop. No JVM, but for asking a catalog now and then."""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.shared import metrics
from pipeline import attention, formats
from pipeline.config.values import is_loopback, origin
from pipeline.errors import MissingPackageError, UnknownNameError, UsageError
from pipeline.lake import places, schema_version
from pipeline.runtime import error_messages
from pipeline.runtime.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.settings import Settings
    from pipeline.lake.snapshots import Snapshots
    from pipeline.serving.siblings import Siblings

ENGINES = ("delta", "spark")

# Connections that wait to be accepted; a client that reads slowly holds one, not a thread.
BACKLOG = 256
GRACE_SECONDS = 10
# A table of a catalog that is made, or made again elsewhere, is found within this time; asking takes ten seconds.
ASK_AGAIN_SECONDS = 300.0


def allowing(context: Context, origins: Iterable[str]) -> Context:
    """The context with web pages of these origins that may ask, beside those of the configuration."""
    api = context.settings.api
    more = api.model_copy(update={"cors_origins": (*api.cors_origins, *(_origin(each) for each in origins))})
    return replace(context, settings=context.settings.model_copy(update={"api": more}))


def run(context: Context, host: str | None, port: int | None, engine: str = "delta", workers: int = 1) -> None:
    """Listen where the command line says, else where the configuration does.

    `engine` says who reads the tables: this process where they lie, or Spark, in a session that stays. `workers`
    processes answer at the one address.
    """
    if engine not in ENGINES:
        raise UnknownNameError("unknown engine", engine, *ENGINES)
    if engine == "spark":
        context.need_spark("serve by Spark", "leave --engine out")
    if engine == "spark" and workers > 1:
        raise UsageError("--workers: with --engine spark one process answers, because each would need a session")
    try:
        import uvicorn  # noqa: F401, PLC0415 - an extra of the package

        from pipeline.serving import app  # noqa: F401, PLC0415
    except ModuleNotFoundError as problem:
        raise MissingPackageError(problem.name or "", "serve") from None
    api = context.settings.api
    where = api.model_copy(update={"host": host or api.host, "port": api.port if port is None else port})
    if api.token_env is None and not is_loopback(where.host):
        raise UsageError(
            f"--host {where.host} lets other machines ask: set token_env in [api] to the name of a variable that "
            "holds a bearer token"
        )
    # Before a session may start, which belongs to one context.
    context = replace(context, settings=context.settings.model_copy(update={"api": where}))
    if engine == "delta":
        context = places.located(context, formats.lake_tables(context.settings))
    schema_version.check(context)
    try:
        listening = socket.create_server((where.host, where.port), backlog=BACKLOG)
    except OSError as problem:
        why = str(problem.strerror).partition(" (while")[0]  # Python says the address once more
        raise UsageError(f"cannot listen on {where.host}:{where.port}: {why}; name another --port") from None
    with listening, tempfile.TemporaryDirectory(prefix="meterlake-serve-") as folder:
        copies = _copies(context, Path(folder)) if engine == "spark" else None
        shown = f"[{where.host}]" if ":" in where.host else where.host
        print(
            f"Serving {context.settings.where} on http://{shown}:{listening.getsockname()[1]}/ "
            f"(its documentation: /docs){f' by {workers} workers' if workers > 1 else ''}",
            flush=True,
        )
        if workers == 1:
            _answer(context, listening, copies=copies)
        else:
            _by_workers(context, listening, workers, Path(folder))


def _answer(
    context: Context, listening: socket.socket, *, copies: Snapshots | None = None, siblings: Siblings | None = None
) -> None:
    """Answer in this process, until a signal says to stop."""
    import uvicorn  # noqa: PLC0415 - an extra of the package

    from pipeline.serving.app import application  # noqa: PLC0415

    app = application(
        context.settings,
        lambda: _measures(context),
        copies,
        lambda: attention.found(context.next_run()),
        siblings,
    )
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS, server_header=False
    )
    if context.settings.places is not None:
        threading.Thread(target=_follow, args=(context,), name="places", daemon=True).start()
    uvicorn.Server(config).run([listening])


def _by_workers(context: Context, listening: socket.socket, count: int, folder: Path) -> None:
    from pipeline.serving import workers  # noqa: PLC0415 - an extra of the package

    # An answer that is being sent may take this long, and some time passes until a worker has seen the signal.
    workers.run(count, _as_worker, context.settings, listening, folder, grace_seconds=GRACE_SECONDS + 5)


def _as_worker(number: int, settings: Settings, listening: socket.socket, folder: Path) -> None:
    from pipeline.serving.siblings import Siblings  # noqa: PLC0415 - an extra of the package

    _answer(Context(settings), listening, siblings=Siblings(folder, number))


def _origin(text: str) -> str:
    try:
        return origin(text)
    except ValueError as problem:
        raise UsageError(f"--cors {problem}") from None


def _copies(context: Context, folder: Path) -> Snapshots:
    """The tables as Spark reads them."""
    from pipeline.lake.copies import Copies  # noqa: PLC0415 - imports PySpark

    print("meterlake: reading with Spark, which takes longer", file=sys.stderr, flush=True)
    return Copies(context, folder)


def _follow(context: Context) -> None:
    """Ask the catalog again and again where its tables lie."""
    while True:
        time.sleep(ASK_AGAIN_SECONDS)
        try:
            if places.ask_again(context):
                context.log.info("tables of the catalog lie elsewhere now", catalog=context.settings.where)
        except Exception as problem:  # noqa: BLE001 - what is known is served on
            context.log.warning("the catalog could not be asked", error=error_messages.one_line(problem))


def _measures(context: Context) -> bytes:
    """What the lake says of itself now."""
    return metrics.text(context.next_run())
