"""What is around each command: its configuration read, its error told in a line, its exit code, its profile."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jobs.cli import configuration
from jobs.shared.called import as_typed
from pipeline.errors import MeterlakeError, printable
from pipeline.runtime import arrow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.runtime.context import Context

FAILED, REFUSED = 1, 3


def context_of(config: Path | None) -> Context:
    """What a command works with, from the configuration that is named, else from the one that is found here."""
    from pipeline.config.settings import load
    from pipeline.runtime.context import Context

    path, anchor = (config, None) if config else configuration.of_here()
    return Context(load(path, anchor))


@contextmanager
def profile(context: Context, *, shown: bool) -> Iterator[None]:
    """With --debug: seconds, Spark jobs and commits by step; METERLAKE_PROFILE=FILE writes them as a line of JSON."""
    file = os.environ.get("METERLAKE_PROFILE")
    if not (file or shown):
        yield
        return
    from pipeline.runtime.profile import Profile

    measured = Profile(context)
    yield
    if file:
        with Path(file).open("a") as lines:
            lines.write(dumps(measured.facts()) + "\n")
    if shown:
        from jobs.shared import output

        output.profile(measured)


@contextmanager
def errors(debug: bool) -> Iterator[None]:
    """Print an error as one line on standard error and exit; the traceback only with --debug."""
    arrow.load()  # a command that only shows its help does not come here
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing can be printed.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - stays open until the interpreter ends
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        typer.echo("meterlake: interrupted; the next run carries on", err=True)
        raise typer.Exit(130) from None
    except Exception as problem:
        if debug:
            traceback.print_exc()
        known = isinstance(problem, MeterlakeError)
        text = " ".join(str(problem).split()) if known else _unexpected(problem)
        typer.echo(f"meterlake: {printable(as_typed(text))}", err=True)
        raise typer.Exit(problem.exit_code if isinstance(problem, MeterlakeError) else FAILED) from None


def wrong_use(problem: typer.TyperException) -> int:
    """Tell a command line that cannot be understood in a line, with the help that says how; returns the exit code."""
    said = printable(" ".join(problem.format_message().split()))
    context = getattr(problem, "ctx", None)
    shown = as_typed(f"{context.command_path if context else 'main.py'} --help")
    typer.echo(f"meterlake: {said[:1].lower()}{said[1:].removesuffix('.')} (see {shown})", err=True)
    return problem.exit_code


def _unexpected(problem: Exception) -> str:
    from pipeline.runtime import error_messages

    if words := error_messages.in_words(problem):
        return ": ".join(part for part in (error_messages.place(problem), words) if part)
    return f"{type(problem).__name__}: {error_messages.one_line(problem)} (run again with --debug for the traceback)"
