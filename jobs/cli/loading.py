"""Commands that load deliveries: run, watch, demo."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.cli import completion
from jobs.cli.options import DAY, LOAD, NUMBER, SECONDS, AsJson, Config, Debug, Strict, Wait, examples
from jobs.cli.process import REFUSED, context_of, errors, profile
from pipeline.errors import UnknownNameError

app = typer.Typer()


@app.command(
    rich_help_panel=LOAD,
    epilog=examples(
        "meterlake run --strict",
        "meterlake run --from 2021-03-01 --to 2021-04-01",
        "meterlake run gold --from 2021-03-28 --to 2021-03-29",
    ),
)
def run(
    layer: Annotated[
        str | None,
        typer.Argument(
            help="bronze, silver or gold; all of them if left out.",
            autocompletion=completion.one_of(*completion.LAYERS),
        ),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--from", help="Only deliveries modified since then (a UTC day or an instant), oldest first.", metavar=DAY
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="… and before then; a batch for each day.", metavar=DAY)
    ] = None,
    config: Config = None,
    strict: Strict = False,
    wait: Wait = 0,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """The main job: new deliveries into bronze, MERGEd into silver, aggregated into gold.

    With --from and --to: a backfill, a batch for each day of deliveries;
    `run silver` and `run gold` rebuild those local days.
    """
    with errors(debug):
        from jobs import backfill
        from jobs import run as job
        from jobs.shared import output
        from pipeline.deliveries.span import Span

        if layer is not None and layer not in job.LAYERS:
            raise UnknownNameError("unknown layer", layer, *job.LAYERS)
        span, context, wrong = Span.of(first, end), context_of(config), False
        with profile(context, shown=debug):
            if span is None:
                outcomes = iter([job.run(context, layer, f"run {layer}" if layer else "run", wait)])
            elif layer in {None, "bronze"}:
                outcomes = backfill.run(context, span, layer, wait)
            else:
                outcomes = iter([backfill.rebuild(context, layer, span, wait)])
            for outcome in outcomes:
                output.outcome(outcome, as_json=json, days_rebuilt=span is not None and layer in {"silver", "gold"})
                wrong = wrong or bool(outcome.refused) or any(each.is_failed for each in outcome.checks)
        if strict and wrong:
            raise typer.Exit(REFUSED)


@app.command(rich_help_panel=LOAD, epilog=examples("meterlake watch --poll 5 --json"))
def watch(
    poll: Annotated[float, typer.Option(help="Look for deliveries this often.", min=0.1, metavar=SECONDS)] = 1,
    maintain_every: Annotated[
        int,
        typer.Option(
            help="Maintain the tables after this many runs, idle ones included; 0: never.", min=0, metavar=NUMBER
        ),
    ] = 200,
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Keep a warm session and load deliveries as they arrive; SIGTERM or Ctrl-C end it after the current batch."""
    with errors(debug):
        from jobs import watch as job

        job.run(context_of(config), poll_seconds=poll, maintain_every=maintain_every, as_json=json)


@app.command(rich_help_panel=LOAD, epilog=examples("meterlake demo"))
def demo(config: Config = None, json: AsJson = False, debug: Debug = False) -> None:
    """Write seeded sample deliveries of every feed into the landing folders, run, and show the result."""
    with errors(debug):
        from jobs import demo as job

        job.run(context_of(config), as_json=json)
