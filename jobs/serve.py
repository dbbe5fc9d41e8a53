"""`serve`: the read API over the lake, until a signal says to stop. No JVM, but for asking a catalog now and then."""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.shared import metrics
from pipeline import attention, formats
from pipeline.config.values import is_loopback, origin
from pipeline.errors import MissingPackageError, UnknownNameError, UsageError
from pipeline.lake import places, schema_version
from pipeline.runtime import error_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.lake.snapshots import Snapshots
    from pipeline.runtime.context import Context

ENGINES = ("delta", "spark")

# Connections that wait to be accepted; a client that reads slowly holds one, not a thread.
BACKLOG = 256
GRACE_SECONDS = 10
# A table of a catalog that is made, or made again elsewhere, is found within this time; asking takes ten seconds.
ASK_AGAIN_SECONDS = 300.0


def run(context: Context, host: str | None, port: int | None, engine: str = "delta", cors: Sequence[str] = ()) -> None:
    """Listen where the command line says, else where the configuration does.

    Web pages of the origins in `cors` may ask, beside those of the configuration. `engine` says who reads the tables:
    this process where they lie, or Spark, in a session that stays.
    """
    if engine not in ENGINES:
        raise UnknownNameError("unknown engine", engine, *ENGINES)
    try:
        import uvicorn  # noqa: PLC0415 - an extra of the package

        from pipeline.serving.app import application  # noqa: PLC0415
    except ModuleNotFoundError as problem:
        raise MissingPackageError(problem.name or "", "serve") from None
    api = context.settings.api
    where = api.model_copy(
        update={
            "host": host or api.host,
            "port": api.port if port is None else port,
            "cors_origins": (*api.cors_origins, *(_origin(each) for each in cors)),
        }
    )
    if api.token_env is None and not is_loopback(where.host):
        raise UsageError(
            f"--host {where.host} lets other machines ask: set token_env in [api] to the name of a variable that "
            "holds a bearer token"
        )
    if engine == "delta":
        context = places.located(context, formats.lake_tables(context.settings))
    schema_version.check(context)
    settings = context.settings.model_copy(update={"api": where})
    try:
        listening = socket.create_server((where.host, where.port), backlog=BACKLOG)
    except OSError as problem:
        raise UsageError(
            f"cannot listen on {where.host}:{where.port}: {problem.strerror}; name another --port"
        ) from None
    with listening, tempfile.TemporaryDirectory(prefix="meterlake-serve-") as folder:
        copies = _copies(context, Path(folder)) if engine == "spark" else None
        app = application(settings, lambda: _measures(context), copies, lambda: attention.found(context.next_run()))
        shown = f"[{where.host}]" if ":" in where.host else where.host
        print(
            f"Serving {settings.where} on http://{shown}:{listening.getsockname()[1]}/ (its documentation: /docs)",
            flush=True,
        )
        config = uvicorn.Config(
            app, access_log=False, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS, server_header=False
        )
        if settings.places is not None:
            threading.Thread(target=_follow, args=(context,), name="places", daemon=True).start()
        uvicorn.Server(config).run([listening])


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
