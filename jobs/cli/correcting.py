"""Commands that check, correct and maintain the lake: verify, withdraw, replay, erase, maintain."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.cli import completion
from jobs.cli.options import CORRECT, NAME, NUMBER, SWITCH, AsJson, Config, Debug, Wait, examples
from jobs.cli.process import context_of, errors
from pipeline.errors import UsageError

app = typer.Typer()


@app.command(rich_help_panel=CORRECT, epilog=examples("meterlake verify --json"))
def verify(
    engine: Annotated[
        str | None,
        typer.Option(
            help="spark rebuilds by Spark whatever the engine of the configuration.",
            autocompletion=completion.one_of("spark"),
            metavar=NAME,
        ),
    ] = None,
    config: Config = None,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Rebuild silver and gold from bronze, compare, and print the first difference of each table; exit 1 on any."""
    with errors(debug):
        from jobs import verify as job

        job.run(context_of(config), as_json=json, wait_seconds=wait, engine=engine)


@app.command(
    rich_help_panel=CORRECT,
    epilog=examples("meterlake withdraw gas/PN000003.SMRT --dry-run", "meterlake withdraw '#17' --reason 'sent twice'"),
)
def withdraw(
    file: Annotated[str, typer.Argument(help="A loaded or refused delivery: its path, its name, or #file_id.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the log.", metavar="TEXT")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed; change nothing.", metavar=SWITCH)
    ] = False,
    config: Config = None,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take a delivery back out: what it had superseded counts again, in silver and gold. Settle a refused one."""
    with errors(debug):
        from jobs import withdraw as job

        job.run(context_of(config), file, reason, as_json=json, wait_seconds=wait, dry_run=dry_run)


@app.command(rich_help_panel=CORRECT, epilog=examples("meterlake replay '#17' --dry-run"))
def replay(
    files: Annotated[list[str], typer.Argument(help="Deliveries: path, name, or #file_id.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.", metavar=SWITCH)
    ] = False,
    config: Config = None,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Decide refused deliveries and judge rejected rows again, after a rule or the configuration changed."""
    with errors(debug):
        from jobs import replay as job

        job.run(context_of(config), files, dry_run=dry_run, as_json=json, wait_seconds=wait)


@app.command(
    rich_help_panel=CORRECT, epilog=examples("meterlake erase 1400000001 --dry-run", "meterlake erase 1400000001 --yes")
)
def erase(
    meter: Annotated[str, typer.Argument(help="The meter, as the source names it.")],
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Confirm: it cannot be undone, earlier versions are removed too.", metavar=SWITCH),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed; change nothing.", metavar=SWITCH)
    ] = False,
    config: Config = None,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Remove a meter from every table and from their earlier versions; leaves a certificate in numbers."""
    with errors(debug):
        from jobs import erase as job

        if not (yes or dry_run):
            raise UsageError("erase removes the meter and every earlier version of every table: confirm with --yes")
        job.run(context_of(config), meter, as_json=json, wait_seconds=wait, dry_run=dry_run)


@app.command(rich_help_panel=CORRECT, epilog=examples("meterlake maintain --dry-run"))
def maintain(
    retention_hours: Annotated[
        int, typer.Option(help="Keep the versions of this many hours.", min=0, metavar=NUMBER)
    ] = 168,
    force: Annotated[bool, typer.Option("--force", help="Allow fewer than 168 hours.", metavar=SWITCH)] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report small files and what would be done.", metavar=SWITCH)
    ] = False,
    config: Config = None,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Cluster readings by meter, OPTIMIZE, VACUUM; no file that a version of the last week needs is removed."""
    with errors(debug):
        from jobs import maintain as job

        job.run(context_of(config), retention_hours, force=force, as_json=json, wait_seconds=wait, dry_run=dry_run)
