"""The command line: argv -> settings -> job -> exit code; nothing else."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import MeterlakeError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.runtime.context import Context

app = typer.Typer(
    name="meterlake",
    help="Meter readings from files and databases into a Delta lake: bronze, silver, gold, and a log of deliveries.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

FAILED, REFUSED = 1, 3

Config = Annotated[Path, typer.Option(help="Configuration file (TOML).", envvar="METERLAKE_CONFIG")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show an error's traceback, and where a run spends its time.")]
Strict = Annotated[bool, typer.Option("--strict", help="Leave with exit code 3 when a delivery was refused.")]
Wait = Annotated[
    float, typer.Option(help="Wait this many seconds for another run on this lake (exit 4 if it takes longer).", min=0)
]
Limit = Annotated[int, typer.Option(help="At most this many rows.", min=1)]
CONFIG = Path("conf/local.toml")


def _version(asked: bool) -> None:
    if asked:
        from pipeline.runtime import release

        typer.echo(release.in_words())
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", help="Show the version, and those of Spark and Delta.", callback=_version, is_eager=True),
]


@app.callback()
def options(version: Version = False) -> None:
    """Options before a command."""


@app.command()
def run(
    layer: Annotated[str | None, typer.Argument(help="bronze, silver or gold; all of them if left out.")] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", help="Only deliveries modified since then (a UTC day or an instant), oldest first."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="… and before then; a batch for each day.")] = None,
    config: Config = CONFIG,
    strict: Strict = False,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """The main job: new deliveries into bronze, MERGEd into silver, aggregated into gold.

    With --from and --to: a backfill, a batch for each day of deliveries; `run silver` and `run gold` rebuild those
    local days.
    """
    with _errors(debug):
        from jobs import backfill
        from jobs import run as job
        from jobs.shared import output
        from pipeline.deliveries.span import Span

        if layer not in {None, *job.LAYERS}:
            raise UsageError(f"unknown layer {layer!r}: use {', '.join(job.LAYERS)}, or none for all")
        span, context, refused = Span.of(first, end), _context(config), False
        with _profile(context, shown=debug):
            if span is None:
                outcomes = iter([job.run(context, layer, f"run {layer}" if layer else "run", wait)])
            elif layer in {None, "bronze"}:
                outcomes = backfill.run(context, span, layer, wait)
            else:
                outcomes = iter([backfill.rebuild(context, layer, span, wait)])
            for outcome in outcomes:
                output.outcome(outcome, as_json=json, days_rebuilt=span is not None and layer in {"silver", "gold"})
                refused = refused or bool(outcome.refused)
        if strict and refused:
            raise typer.Exit(REFUSED)


@app.command()
def watch(
    poll: Annotated[float, typer.Option(help="Look for deliveries this often, in seconds.", min=0.1)] = 1,
    maintain_every: Annotated[
        int, typer.Option(help="Maintain the tables after this many runs, idle ones included; 0: never.", min=0)
    ] = 200,
    config: Config = CONFIG,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Keep a warm session and load deliveries as they arrive; SIGTERM or Ctrl-C end it after the current batch."""
    with _errors(debug):
        from jobs import watch as job

        job.run(_context(config), poll_seconds=poll, maintain_every=maintain_every, as_json=json)


@app.command()
def demo(config: Config = CONFIG, json: AsJson = False, debug: Debug = False) -> None:
    """Write seeded sample deliveries of every feed into the landing folders, run, and show the result."""
    with _errors(debug):
        from jobs import demo as job

        job.run(_context(config), as_json=json)


@app.command()
def status(
    config: Config = CONFIG,
    tables: Annotated[bool, typer.Option("--tables", help="The inventory of tables: rows, files, bytes.")] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """At a glance: what needs attention, the last run, and each feed: its deliveries and how complete yesterday is."""
    with _errors(debug):
        from jobs import status as job

        job.run(_context(config), as_json=json, with_tables=tables)


@app.command()
def files(
    config: Config = CONFIG,
    status: Annotated[str | None, typer.Option(help="Only loaded, rejected, duplicate, conflict or withdrawn.")] = None,
    feed: Annotated[str | None, typer.Option(help="Only this feed (or 'reference').")] = None,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only refused ones that nothing has replaced or settled since.")
    ] = False,
    limit: Limit = 100,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Deliveries and what became of them, newest first."""
    with _errors(debug):
        from jobs.shared import output

        output.files(_context(config), status, feed, limit, as_json=json, only_open=only_open)


@app.command()
def rejected(
    config: Config = CONFIG,
    feed: Annotated[str | None, typer.Option(help="Only this feed (or 'reference').")] = None,
    limit: Limit = 100,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Rejected rows, with file, line and reason, newest first."""
    with _errors(debug):
        from jobs.shared import output

        output.rejected(_context(config), feed, limit, as_json=json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A query over the tables by their names, such as gold.meter_day.")],
    form: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    limit: Annotated[int, typer.Option(help="At most this many rows of a table; csv and json give all.", min=1)] = 1000,
    config: Config = CONFIG,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Spark SQL over the tables; read only."""
    with _errors(debug):
        from jobs import query as job

        job.run(_context(config), query, "json" if json else form, limit)


@app.command()
def report(
    feed: Annotated[str, typer.Option(help="The feed to report on.")],
    out: Annotated[Path, typer.Option(help="The file to write; an existing one is replaced.")],
    meter: Annotated[str | None, typer.Option(help="Only this meter, as the source names it.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="The first local day, such as 2021-03-28.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The first local day after the range.")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="html, or md with pictures beside it; if left out, by the file's name."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="delta reads the files itself; spark is slower, and reads what only Spark may.")
    ] = "delta",
    config: Config = CONFIG,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Explore a feed: totals, load shape, profile, heat map, autocorrelation, gaps, outliers, import against export."""
    with _errors(debug):
        from jobs import report as job
        from pipeline.serving.report.asked import Asked

        job.run(_context(config), Asked.of(feed, meter, first, end), out, form, as_json=json, engine=engine)


@app.command()
def explain(
    meter: Annotated[str, typer.Argument(help="The meter, as the source names it.")],
    instant: Annotated[
        str, typer.Argument(help="An instant in its interval, such as 2021-03-28T00:30Z; UTC without an offset.")
    ],
    config: Config = CONFIG,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Every version of one reading: its file, row and text, which one counts and why, and its cells in gold."""
    with _errors(debug):
        from jobs import explain as job

        job.run(_context(config), meter, instant, as_json=json)


@app.command()
def verify(config: Config = CONFIG, wait: Wait = 0, json: AsJson = False, debug: Debug = False) -> None:
    """Rebuild silver and gold from bronze, compare, and print the first difference of each table; exit 1 on any."""
    with _errors(debug):
        from jobs import verify as job

        job.run(_context(config), as_json=json, wait_seconds=wait)


@app.command()
def withdraw(
    file: Annotated[str, typer.Argument(help="A loaded or refused delivery: its path, its name, or #file_id.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the log.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed; change nothing.")] = False,
    config: Config = CONFIG,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take a delivery back out: what it had superseded counts again, in silver and gold. Settle a refused one."""
    with _errors(debug):
        from jobs import withdraw as job

        job.run(_context(config), file, reason, as_json=json, wait_seconds=wait, dry_run=dry_run)


@app.command()
def replay(
    files: Annotated[list[str], typer.Argument(help="Deliveries: path, name, or #file_id.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    config: Config = CONFIG,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Decide refused deliveries and judge rejected rows again, after a rule or the configuration changed."""
    with _errors(debug):
        from jobs import replay as job

        job.run(_context(config), files, dry_run=dry_run, as_json=json, wait_seconds=wait)


@app.command()
def erase(
    meter: Annotated[str, typer.Argument(help="The meter, as the source names it.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Confirm: it cannot be undone, earlier versions are removed too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed; change nothing.")] = False,
    config: Config = CONFIG,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Remove a meter from every table and from their earlier versions; leaves a certificate in numbers."""
    with _errors(debug):
        from jobs import erase as job

        if not (yes or dry_run):
            raise UsageError("erase removes the meter and every earlier version of every table: confirm with --yes")
        job.run(_context(config), meter, as_json=json, wait_seconds=wait, dry_run=dry_run)


@app.command()
def maintain(
    retention_hours: Annotated[int, typer.Option(help="Keep the versions of this many hours.", min=0)] = 168,
    force: Annotated[bool, typer.Option("--force", help="Allow fewer than 168 hours.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report small files and what would be done.")] = False,
    config: Config = CONFIG,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Cluster readings by meter, OPTIMIZE, VACUUM; no file that a version of the last week needs is removed."""
    with _errors(debug):
        from jobs import maintain as job

        job.run(_context(config), retention_hours, force=force, as_json=json, wait_seconds=wait, dry_run=dry_run)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Listen here instead of where the configuration says.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0: any free one.", min=0, max=65535)] = None,
    engine: Annotated[
        str, typer.Option(help="delta reads the files itself; spark is slower, and reads what only Spark may.")
    ] = "delta",
    config: Config = CONFIG,
    debug: Debug = False,
) -> None:
    """Serve the lake to programs and people: a read API, its documentation, and a page. Ctrl-C ends it.

    No JVM, but to ask a catalog where its tables lie; with --engine spark a session that stays.
    """
    with _errors(debug):
        from jobs import serve as job

        job.run(_context(config), host, port, engine)


@app.command()
def init(
    example: Annotated[
        Path | None, typer.Option("--from", help="A supplier's file: its feed is guessed and written.")
    ] = None,
    config: Config = CONFIG,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a first configuration to --config, with one feed; an existing file is never written over."""
    with _errors(debug):
        from jobs import init as job

        job.run(config, example, as_json=json)


@app.command()
def check(config: Config = CONFIG, json: AsJson = False, debug: Debug = False) -> None:
    """Look at all that the configuration names, and say what is wrong, each in a line; exit 1 when something is.

    Folders, zones, Java, JARs, database, endpoints, tokens, disk. Nothing is written, and no JVM starts.
    """
    with _errors(debug):
        from jobs import check as job

        if not job.run(_context(config), as_json=json):
            raise typer.Exit(FAILED)


@app.command()
def guess(
    file: Annotated[Path, typer.Argument(help="A file as the supplier sends it.")],
    name: Annotated[str | None, typer.Option(help="The feed's name; if left out, from the file's.")] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """A [[feeds]] entry that loads an unknown file, and what the file cannot say; no configuration needed."""
    with _errors(debug):
        from jobs import guess as job

        job.run(file, name, as_json=json)


@app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(help="A file; its name and folder need not be the feed's.")],
    feed: Annotated[str, typer.Option(help="The feed of the configuration that it is for.")],
    rows: Annotated[int, typer.Option(help="Judge at most so many rows: they are held in memory.", min=1)] = 200_000,
    config: Config = CONFIG,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """What would become of a file: its verdict, counts, first readings, totals, rejected rows; exit 3 on a refusal.

    No lake is needed, nothing is written, and no JVM starts.
    """
    with _errors(debug):
        from jobs import try_file as job

        if not job.run(_context(config), file, feed, rows, as_json=json):
            raise typer.Exit(REFUSED)


def _context(config: Path) -> Context:
    from pipeline.config.settings import load
    from pipeline.runtime.context import Context

    return Context(load(config))


@contextmanager
def _profile(context: Context, *, shown: bool) -> Iterator[None]:
    """With --debug: seconds, Spark jobs and commits by step; METERLAKE_PROFILE=FILE writes them as a line of JSON."""
    file = os.environ.get("METERLAKE_PROFILE")
    if not (file or shown):
        yield
        return
    from pipeline.runtime.profile import Profile

    profile = Profile(context)
    yield
    if file:
        with Path(file).open("a") as lines:
            lines.write(dumps(profile.facts()) + "\n")
    if shown:
        from jobs.shared import output

        output.profile(profile)


@contextmanager
def _errors(debug: bool) -> Iterator[None]:
    """Print an error as one line on standard error and exit; the traceback only with --debug."""
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
        typer.echo(f"meterlake: {printable(text)}", err=True)
        raise typer.Exit(problem.exit_code if isinstance(problem, MeterlakeError) else FAILED) from None


def _unexpected(problem: Exception) -> str:
    from pipeline.runtime import error_messages

    if words := error_messages.in_words(problem):
        return ": ".join(part for part in (error_messages.place(problem), words) if part)
    return f"{type(problem).__name__}: {error_messages.one_line(problem)} (run again with --debug for the traceback)"


def entry() -> None:
    """The command line as a process: exits at once after its last output.

    Reader threads of the Arrow and Delta libraries may still be running, and ending them with the interpreter sometimes
    aborts the process (seen: exit code 134 after a correct answer).
    """
    code: object = 0
    try:
        app()
    except SystemExit as leaving:
        code = leaving.code or 0
    sys.stdout.flush()
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        if code:
            sys.exit(code)  # type: ignore[arg-type]
        return  # the interpreter is the platform's own and keeps running
    if not code and (connect := sys.modules.get("pipeline.runtime.connect")):
        connect.finish()
    if archive := sys.modules.get("pipeline.runtime.class_archive"):
        if archive.is_recording() and sys.stderr.isatty():
            typer.echo("Saving Java's classes, so that the next runs start faster (once, some seconds) …", err=True)
        archive.finish()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else FAILED)


if __name__ == "__main__":
    entry()
