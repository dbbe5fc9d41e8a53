"""Names and values that look like something else: paths, patterns, SQL, formulas, markup, control sequences."""

from __future__ import annotations

import csv
import io
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs import explain, query, run
from jobs.shared import output
from jobs.shared.filters import OfRejected
from pipeline import formats
from pipeline.deliveries import landing
from pipeline.lake import tables
from tests.jobs.conftest import ELECTRICITY, GAS, log, put, rows, smrt, split_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pipeline.runtime.context import Context

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zähler é") for form in ("NFC", "NFD"))
ODD = [
    "a b", " a", "a'b", 'a"b', "100%", "%41", "%2F", "a+b", "a#b", "a?b", "a*", "[ab]", "{a,b}", "a\nb", "a\tb", "a\r\nb",
    "a\\b", "a\\", "電気", COMPOSED, DECOMPOSED, "a=b", "file_id=7", "$a", "${a}", "`a`", "a;b", "a&b", "a|b", "<a>", "~",
    "-rf", "[red]a", "\x1b[31ma", "\u202egpj", "\u200b", "=1+1", "''; DROP TABLE a --", "e\u0301" * 40,
]  # fmt: skip


def test_deliveries_of_odd_names_load_each_for_itself_and_are_shown_on_a_line_each(
    lake: Callable[..., Context], gas: Path, electricity: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, odd in enumerate(ODD):
        name = f"PN{n:06}"
        # The row's value says which file it is from.
        put(gas, f"{odd}/{name}.SMRT", smrt(name, f'"1","20210401","0000",{n}', f'"x","20210401","0000",{n}'))
        put(electricity, f"{odd}/{odd}.json", split_json(["2021-01-04 00:00:00", f"m{n}", n], ["x", f"m{n}", n]))
        put(electricity, f"{odd}.json", split_json(["2021-01-04 00:30:00", f"m{n}", n]))
    for bad in ("_a", "a:b", "file:a"):
        put(electricity, f"{bad}.json", split_json(["2021-01-04 00:00:00", "bad", 1]))
    context = lake(GAS, ELECTRICITY)
    run.run(context)

    paths = {f"{odd}/PN{n:06}.SMRT": n for n, odd in enumerate(ODD)}
    paths |= {f"{odd}/{odd}.json": n for n, odd in enumerate(ODD)} | {f"{odd}.json": n for n, odd in enumerate(ODD)}
    verdicts = {path: (status, code) for path, status, code in log(context)}
    refused = {f"{bad}.json": ("rejected", "BAD_FILE_NAME") for bad in ("_a", "a:b", "file:a")}
    assert verdicts == dict.fromkeys(paths, ("loaded", None)) | refused
    ids = dict(rows(context, tables.INGESTION_LOG, "file_id", "relative_path"))
    for feed, value in (("gas", "consumption"), ("electricity", "consumption_delta")):
        table = formats.bronze_table(context.settings.feed(feed))
        found = {ids[file_id]: int(text) for file_id, text in rows(context, table, "file_id", value)}
        assert found == {path: n for path, n in paths.items() if path.endswith("SMRT") == (feed == "gas")}
    assert [landing.changed_since(landing.find(feed), feed) for feed in context.settings.feeds] == [[], []]
    assert run.run(lake(GAS, ELECTRICITY)).deliveries == []

    capsys.readouterr()
    for command, arguments, count in (
        (output.files, (None, None), len(verdicts)),
        (output.rejected, (OfRejected(),), 2 * len(ODD)),
    ):
        command(context, *arguments, 1000, as_json=False)
        lines = capsys.readouterr().out.splitlines()
        _heading, _rule, *shown, last = [line for line in lines if line.strip()]
        assert len(shown) == count, last
        assert all(line.replace(" ", "").isprintable() for line in lines)


HOSTILE = [
    "'", '"', "' OR '1'='1", "' OR 1=1 --", '" OR ""="', "\\", "\\'", "a\\", "m1'; DROP TABLE silver.readings; --", "%", "_",
    "NULL", "null", "True", "1=1", "m1", "M1", "m 1", "\x0bm1", "m1\u00a0", COMPOSED, DECOMPOSED, "=cmd|' /C calc'!A0",
    "@SUM(1)", "+1", "-1", "\x1c=1", "[red]x[/]", "[/]", "[link=https://example.org]x[/link]", "\x1b[31mred", "\x9b31m",
    "\x1b]0;title\x07", "a\nb", "a\rb", "\u202eabc", "\u0000", "🙂", "<script>alert(1)</script>", "${m1}", "{{m1}}", "`m1`",
]  # fmt: skip


def test_meters_of_hostile_names_are_kept_apart_merged_exactly_and_shown_as_they_are(
    lake: Callable[..., Context], electricity: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, other, bad = "2021-01-04 00:00:00", "2021-01-04 00:30:00", "2021-01-04 00:10:00"
    first = [[when, meter, n] for n, meter in enumerate(HOSTILE) for when in (start, other, bad)]
    put(electricity, "a.json", split_json(*first))
    context = lake(ELECTRICITY)
    run.run(context)
    # Every second meter is corrected, by MERGE; the others must not be touched.
    put(
        electricity,
        "b.json",
        split_json(*([start, meter, n + 0.5] for n, meter in enumerate(HOSTILE) if n % 2)),
        minutes=1,
    )
    run.run(lake(ELECTRICITY))

    expected = {meter: (n + Decimal("0.5") if n % 2 else Decimal(n), Decimal(n)) for n, meter in enumerate(HOSTILE)}
    found: dict[str, list[Decimal]] = {}
    for meter, _, value in sorted(
        rows(context, tables.READINGS, "meter_id", "interval_start", "consumption"), key=lambda row: row[1]
    ):
        found.setdefault(meter, []).append(value)
    assert {meter: tuple(values) for meter, values in found.items()} == expected
    days = rows(context, tables.METER_DAY, "meter_id", "consumption")
    assert dict(days) == {meter: sum(values) for meter, values in expected.items()}
    refused = rows(context, tables.REJECTED, "meter_id", "reason_code")
    assert sorted(refused) == sorted((meter, "OFF_GRID") for meter in HOSTILE)

    capsys.readouterr()
    output.rejected(context, OfRejected(), 1000, as_json=False)
    _inert(capsys.readouterr().out, HOSTILE)
    query.run(context, "SELECT DISTINCT meter_id FROM silver.readings", "table", 1000)
    _inert(capsys.readouterr().out, HOSTILE)
    query.run(context, "SELECT meter_id, sum(consumption) AS kwh FROM silver.readings GROUP BY meter_id", "csv", 1)
    # Exact, with formulas and carriage returns: it is for the next program in the pipe, which must get the same meter.
    answered = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))
    assert {meter: Decimal(kwh) for meter, kwh in answered[1:]} == dict(days)
    for meter in ("' OR 1=1 --", "[red]x[/]", "\x1b[31mred"):
        explain.run(context, meter, "2021-01-04T00:00Z", as_json=False)
        said = capsys.readouterr().out
        _inert(said, [meter])
        assert said.count("current") == 1
    for stranger in ("[red]stranger[/]", "' OR ''='", "\x1b[31m"):
        explain.run(context, stranger, "2021-01-04T00:00Z", as_json=False)
        said = capsys.readouterr().out
        assert said.startswith("No version of a reading of meter")
        _inert(said, [] if stranger.startswith("\x1b") else [stranger])


def _inert(said: str, meters: list[str]) -> None:
    """Only text, with every meter in it letter by letter, and invisible characters written out."""
    assert said.replace("\n", "").isprintable()
    for meter in meters:
        assert (meter if meter.isprintable() else repr(meter)[1:-1]) in said, meter
