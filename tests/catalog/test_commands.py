"""Every command on a lake in a catalog that is not the session's own; what it creates, and that it drops nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeline.formats import samples
from pipeline.lake import tables
from tests.catalog.place import Place
from tests.cluster.test_cluster import TABLES, rows
from tests.jobs.conftest import put, split_json

pytestmark = pytest.mark.slow  # a process of its own with some thirty commands, minutes: `make test-platform`
ROOT = Path(__file__).parents[2]
METER = samples.METERPOINTS[0]
INSTANT = "2021-03-28T18:30Z"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_every_command_does_in_another_catalog_what_it_does_in_a_folder(place, demo):
    config = place.configure("first", "other")
    root = place.folder / "other"
    at = ["--config", config]
    answers = place.call(
        ["demo", "--json", *at],
        ["status", "--json", *at],
        ["files", "--json", *at],
        ["rejected", "--json", *at],
        ["explain", METER, INSTANT, "--json", *at],
        ["sql", "SELECT count(*) AS n, sum(total_kwh) AS kwh FROM gold.meter_month", "--format", "json", *at],
        ["sql", "SELECT count(*) AS n FROM other.gold.aggregate_per_half_hour", "--format", "json", *at],
        ["sql", "SELECT count(*) AS n FROM reading_history", "--format", "json", *at],
        ["sql", "SHOW TABLES IN gold", "--format", "json", *at],
    )
    for code, out, said in answers:
        assert code == 0, out[-2000:] + said[-2000:]
    _, status, files, rejected, explained, months, half_hours, history, names = (out for _, out, _ in answers)
    for table in TABLES:
        assert rows(root, table) == rows(demo.parent / "data_lake", table), table
    assert json.loads(files.splitlines()[-1])
    assert json.loads(rejected.splitlines()[-1])
    assert "silver.readings" in status
    assert json.loads(explained.splitlines()[-1])["versions"][0]["verdict"] == "current"
    assert json.loads(months)[0]["n"] > 0
    assert (
        json.loads(half_hours)[0]["n"]
        == DeltaTable(root / "gold/total_consumption_half_hour").to_pyarrow_table().num_rows
    )
    assert json.loads(history)[0]["n"] > json.loads(half_hours)[0]["n"]
    assert {"meter_day", "meter_hour", "aggregate_per_half_hour"} <= {row["tableName"] for row in json.loads(names)}
    made = place.changes("other")
    assert len(made) == len(set(made))
    assert {line.split()[0] for line in made} == {"create"}

    # Another delivery, and every command that writes: tables and views are neither made again nor dropped.
    day = split_json(["2021-06-01 00:00:00", METER, "1.5"], ["2021-06-01 00:30:00", METER, "x"])
    put(place.folder / "landing" / "electricity", "june.json", day, 60 * 24 * 90)
    answers = place.call(
        ["run", "--json", *at],
        ["withdraw", "june.json", "--json", *at],
        ["replay", "june.json", "--json", *at],
        ["verify", "--json", *at],
        ["maintain", "--json", *at],
        ["erase", METER, "--yes", "--json", *at],
        ["verify", "--json", *at],
        ["run", "--json", *at],
    )
    for code, out, said in answers:
        assert code == 0, out[-2000:] + said[-2000:]
    run, _, _, verified, maintained, _, again, nothing = (out.splitlines()[-1] for _, out, _ in answers)
    assert json.loads(run)["rows_merged"] == 1
    assert json.loads(verified)["equal"] is True
    assert json.loads(again)["equal"] is True
    assert {"silver.readings", "gold.meter_day"} <= {each["table"] for each in json.loads(maintained)}
    assert json.loads(nothing)["files"] == 0
    meters = set(DeltaTable(root / "silver/readings").to_pyarrow_table(columns=["meter_id"])["meter_id"].to_pylist())
    assert len(meters) > 1
    assert METER not in meters
    since = place.changes("other")[len(made) :]
    lasting = [line for line in since if "verify_" not in line and not line.startswith("create schema")]
    assert all(line.startswith("alter table ") for line in lasting), lasting
    assert not list(root.glob("verify_*"))
    # What is there is never created once more, not even IF NOT EXISTS: that alone needs the right.
    schemas = sum(line.startswith("create schema") for line in place.changes("other"))
    assert place.created_by_statement("CreateNamespace") == schemas > 4


def test_schemas_tables_and_views_have_comments_and_a_view_that_changes_is_altered(place):
    first = place.configure("first", "other")
    heat = f'name = "heat"\nformat = "obis_json"\npath = "{place.folder / "landing" / "heat"}"\ntime_zone = "Europe/Berlin"'
    second = place.folder / "second.toml"
    second.write_text(Path(first).read_text().replace("[reference]", f"[[feeds]]\n{heat}\n[reference]"))
    place.with_a_delivery("gas", "solar", "vilnius", "berlin", "leeds", "heat")
    asked = [
        *(f"DESCRIBE SCHEMA other.{layer}" for layer in tables.LAYERS),
        "DESCRIBE TABLE EXTENDED gold.meter_day",
        "DESCRIBE TABLE EXTENDED gold.meter_hour",
    ]
    at, then = ["--config", first], ["--config", str(second)]
    hours = "SELECT feed, hour_start, total_kwh FROM gold.meter_hour"
    answers = place.call(
        ["run", "--json", *at],
        *(["sql", query, "--format", "csv", *at] for query in asked),
        ["run", "--json", *then],
        ["sql", hours, "--format", "csv", *then],
        ["sql", "DESCRIBE TABLE EXTENDED gold.meter_hour", "--format", "csv", *then],
        ["run", "--json", *then],
    )
    # The demo's reference database is not there: the readings are in, and each run says so.
    runs = [answers[0], answers[len(asked) + 1], answers[-1]]
    assert [code for code, *_ in runs] == [1, 1, 1]
    assert all("reference database" in said for _, _, said in runs)
    for code, out, said in answers[1 : len(asked) + 1] + answers[-3:-1]:
        assert code == 0, out + said
    *schemas, day, hour = (out for _, out, _ in answers[1 : len(asked) + 1])
    for layer, described in zip(tables.LAYERS, schemas, strict=True):
        assert tables.LAYER_COMMENTS[layer] in described
    assert tables.METER_DAY.comment in day
    assert all(column.comment in day for column in tables.METER_DAY.columns)
    assert "Energy of a meter in an hour of the local clock" in hour
    assert "'heat'" not in hour
    _, shown, _ = answers[-3]
    _, hour, _ = answers[-2]
    assert shown.splitlines()[1:] == ["electricity,2021-01-04 00:00:00Z,1.000000"]
    assert "WHEN 'heat' THEN 'Europe/Berlin'" in hour
    assert "Energy of a meter in an hour of the local clock" in hour
    altered = [line for line in place.changes("other") if not line.startswith("create ")]
    assert "alter view gold.meter_hour" in altered
    assert "alter view gold.meter_month" not in altered  # it has no local time
    assert len(altered) == len(set(altered))  # by the second run only
    assert all(line.startswith("alter view ") for line in altered)


def test_a_user_without_the_right_to_create_runs_where_an_administrator_made_it_and_else_is_told_which_right(place):
    place.with_a_delivery("gas", "solar", "vilnius", "berlin", "leeds")
    admin = place.configure("admin", "made")
    every = "create schema,create table,create view,alter view,drop table,drop view"
    place.with_a_delivery(
        "gas", "solar", "vilnius", "berlin", "leeds", landing="more", name="next.json", day="2021-01-05"
    )
    user = place.configure("user", "mine", root="made", landing="more", refused=every)
    nothing = place.configure("nothing", "empty", refused="create schema")
    schemas = place.configure("schemas", "schemas", refused="create schema,create table")
    only = place.configure("only", "only", refused="create schema")
    plain = place.configure("plain", "plain", views=False)
    for name in ("schemas", "only"):
        for layer in tables.LAYERS:
            made = place.folder / name / layer
            made.mkdir(parents=True)
            (made / ".schema").touch()
    answers = place.call(
        *(["run", "--json", "--config", config] for config in (admin, user, nothing, schemas, only, plain)),
        ["sql", "SELECT count(*) AS n FROM silver.readings", "--format", "csv", "--config", user],
    )
    codes = [code for code, *_ in answers]
    said = [errors.splitlines()[-1] for _, _, errors in answers[:-1]]
    # The demo's reference database is not there: a run whose readings are in says so, and nothing else.
    whole = re.compile(r"meterlake: reference database .* cannot be read .*; product tables stay as they were")
    assert codes == [1, 1, 1, 1, 1, 1, 0]
    assert all(whole.fullmatch(each) for each in (said[0], said[1], said[4], said[5])), said
    assert answers[-1][1] == "n\n2\n"
    advice = "to the user that runs this, or let an administrator do it, then run again"
    assert said[2] == (
        "meterlake: lake empty: schema empty.bronze is missing and was not created: "
        f"grant CREATE SCHEMA on catalog empty {advice}"
    )
    assert re.fullmatch(
        r"meterlake: lake schemas: table schemas\.bronze\.\w+ is missing and was not created: "
        rf"grant CREATE TABLE on schema schemas\.bronze {advice}",
        said[3],
    )
    kinds = {name: {line.rpartition(" ")[0] for line in place.changes(name)} for name in ("made", "only", "plain")}
    assert kinds["only"] == {"create table", "create view"}
    assert kinds["plain"] == {"create schema", "create table"}
    assert place.changes("empty") == place.changes("schemas") == []
    assert "the catalog holds no views" in answers[5][2]
    assert len(place.changes("made")) == len(set(place.changes("made")))
