"""Commands that only read the lake: status, files, rejected, sql, explain, report, serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli import completion
from jobs.cli.options import (
    DAY,
    FILE,
    LOOK,
    NAME,
    NUMBER,
    SWITCH,
    AsJson,
    Config,
    Debug,
    Engine,
    Limit,
    OfFeed,
    examples,
)
from jobs.cli.process import context_of, errors
from pipeline.errors import UsageError

app = typer.Typer()


@app.command(rich_help_panel=LOOK, epilog=examples("meterlake status", "meterlake status --json"))
def status(
    tables: Annotated[
        bool, typer.Option("--tables", help="The inventory of tables: rows, files, bytes.", metavar=SWITCH)
    ] = False,
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """At a glance: what needs attention, the last run, and each feed: its deliveries and how complete yesterday is."""
    with errors(debug):
        from jobs import status as job

        job.run(context_of(config), as_json=json, with_tables=tables)


@app.command(
    rich_help_panel=LOOK, epilog=examples("meterlake files --status rejected", "meterlake files --feed gas --limit 20")
)
def files(
    status: Annotated[
        str | None,
        typer.Option(
            help="Only loaded, rejected, duplicate, conflict or withdrawn.",
            autocompletion=completion.one_of(*completion.STATUSES),
            metavar=NAME,
        ),
    ] = None,
    feed: OfFeed = None,
    only_open: Annotated[
        bool,
        typer.Option("--open", help="Only refused ones that nothing has replaced or settled since.", metavar=SWITCH),
    ] = False,
    limit: Limit = 100,
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Deliveries and what became of them, newest first."""
    with errors(debug):
        from jobs.shared import output

        output.files(context_of(config), status, feed, limit, as_json=json, only_open=only_open)


@app.command(
    rich_help_panel=LOOK,
    epilog=examples("meterlake rejected --feed gas --reason OFF_GRID", "meterlake rejected --file PN000003.SMRT"),
)
def rejected(
    feed: OfFeed = None,
    file: Annotated[
        str | None, typer.Option(help="Only deliveries with this in their path, or #file_id.", metavar=NAME)
    ] = None,
    meter: Annotated[str | None, typer.Option(help="Only this meter, as the source names it.", metavar=NAME)] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason code, such as OFF_GRID.", metavar="CODE")] = None,
    limit: Limit = 100,
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Rejected rows, with file, line and reason, newest first."""
    with errors(debug):
        from jobs.shared import output
        from jobs.shared.filters import OfRejected

        output.rejected(context_of(config), OfRejected(feed, file, meter, reason), limit, as_json=json)


@app.command(
    rich_help_panel=LOOK,
    epilog=examples(
        'meterlake sql --engine duckdb "SELECT * FROM gold.feed_day ORDER BY ALL"',
        'meterlake sql "SELECT * FROM silver.readings" --format csv > readings.csv',
        "meterlake sql --engine duckdb",
    ),
)
def sql(
    query: Annotated[
        str | None,
        typer.Argument(
            help="A query over the tables by their names, such as gold.meter_day; -, or a pipe: those of standard "
            "input; without one a prompt."
        ),
    ] = None,
    check: Annotated[
        str | None, typer.Option(help="Instead of a query: what this check of the configuration finds.", metavar=NAME)
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="table, csv or json.",
            autocompletion=completion.one_of("table", "csv", "json"),
            metavar=NAME,
        ),
    ] = "table",
    limit: Annotated[
        int, typer.Option(help="At most this many rows of a table; csv and json give all.", min=1, metavar=NUMBER)
    ] = 1000,
    engine: Annotated[
        str,
        typer.Option(
            help="spark, or duckdb: in its own dialect, in a second and without a JVM.",
            autocompletion=completion.one_of("spark", "duckdb"),
            metavar=NAME,
        ),
    ] = "spark",
    expanded: Annotated[
        str,
        typer.Option(
            help="A line for each value of a table: on, off, or auto, where a row is too wide.",
            autocompletion=completion.one_of("auto", "on", "off"),
            metavar="WHEN",
        ),
    ] = "auto",
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """SQL over the tables; read only. Without a query: a prompt in one warm session."""
    with errors(debug):
        from jobs import query as job
        from jobs.own_checks import sql_of

        if query is not None and check is not None:
            raise UsageError("give a query or --check NAME, one of the two")
        context = context_of(config)
        asked = query if check is None else sql_of(context, check)
        job.run(context, asked, "json" if json else form, limit, engine, expanded)


@app.command(rich_help_panel=LOOK, epilog=examples("meterlake explain 1400000001 2021-03-28T18:30Z"))
def explain(
    meter: Annotated[str, typer.Argument(help="The meter, as the source names it.")],
    instant: Annotated[
        str, typer.Argument(help="An instant in its interval, such as 2021-03-28T00:30Z; UTC without an offset.")
    ],
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Every version of one reading: its file, row and text, which one counts and why, and its cells in gold."""
    with errors(debug):
        from jobs import explain as job

        job.run(context_of(config), meter, instant, as_json=json)


@app.command(
    rich_help_panel=LOOK,
    epilog=examples(
        "meterlake report --feed electricity --out report.html",
        "meterlake report --feed electricity --meter 1400000001 --out meter.md",
    ),
)
def report(
    feed: Annotated[str, typer.Option(help="The feed to report on.", autocompletion=completion.feeds, metavar=NAME)],
    out: Annotated[Path, typer.Option(help="The file to write; an existing one is replaced.", metavar=FILE)],
    meter: Annotated[str | None, typer.Option(help="Only this meter, as the source names it.", metavar=NAME)] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="The first local day, such as 2021-03-28.", metavar=DAY)
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="The first local day after the range.", metavar=DAY)] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="html, or md with pictures beside it; if left out, by the file's name.",
            autocompletion=completion.one_of("html", "md"),
            metavar=NAME,
        ),
    ] = None,
    engine: Engine = "delta",
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Explore a feed: totals, load shape, profile, heat map, autocorrelation, gaps, outliers, import against export."""
    with errors(debug):
        from jobs import report as job
        from pipeline.serving.report.asked import Asked

        job.run(context_of(config), Asked.of(feed, meter, first, end), out, form, as_json=json, engine=engine)


@app.command(rich_help_panel=LOOK, epilog=examples("meterlake serve --port 8321"))
def serve(
    host: Annotated[
        str | None, typer.Option(help="Listen here instead of where the configuration says.", metavar=NAME)
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; 0: any free one.", min=0, max=65535, metavar=NUMBER)
    ] = None,
    engine: Engine = "delta",
    cors: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Let web pages of this origin ask too; may be given several times."),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            help="Processes that answer at this address, each with its own memory.", min=1, max=64, metavar=NUMBER
        ),
    ] = 1,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Serve the lake to programs and people: a read API, its documentation, and a page. Ctrl-C ends it.

    No JVM, but to ask a catalog where its tables lie; with --engine spark a session that stays.
    """
    with errors(debug):
        from jobs import serve as job

        job.run(job.allowing(context_of(config), cors or ()), host, port, engine, workers)
