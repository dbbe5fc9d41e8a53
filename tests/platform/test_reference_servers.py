"""The reference in a real PostgreSQL, which changes, refuses, hangs and dies; the drivers of other databases."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from jobs import run
from pipeline.deliveries import ingestion_log
from pipeline.deliveries.open_issues import standing_refusals
from pipeline.errors import ReferenceDatabaseError
from pipeline.formats.reference_database import Server
from pipeline.formats.reference_jdbc import LOST_REASON
from pipeline.lake import tables
from pipeline.runtime import fetch_jars
from tests.cluster.servers import HERE, environment, free_port, until
from tests.conftest import ROOT, command
from tests.jobs.conftest import ELECTRICITY, day, put, rows, split_json, versions
from tests.platform.crm import NAMES, READER, SECRET, VARIABLE, asked, logged, nowhere, of_products

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_a_server_is_read_by_each_run_and_only_another_content_is_a_snapshot(lake, tmp_path, server, crm):
    context = lake(ELECTRICITY, **crm)
    run.run(context)
    before = versions(context)
    # Rewritten, so that the rows lie in another order; the content is the same.
    server.sql('UPDATE crm."Vertrag" SET account_id = account_id WHERE agreement_id = 1; VACUUM FULL crm."Vertrag"')
    assert run.run(lake(ELECTRICITY, **crm)).deliveries == []
    assert versions(context) == before
    server.sql('UPDATE crm."Vertrag" SET agreement_valid_to = NULL WHERE agreement_id = 1')
    try:
        run.run(lake(ELECTRICITY, **crm))
        assert (day("2021-01-05"), "Fixed") in rows(context, tables.PRODUCT_DAY, "date", "product_display_name")
    finally:
        server.sql("UPDATE crm.\"Vertrag\" SET agreement_valid_to = '2021-01-05 00:00:00+00' WHERE agreement_id = 1")
    assert [row[2] for row in logged(context)] == ["loaded", "loaded"]
    assert nowhere(SECRET, tmp_path)


def test_of_two_rows_with_one_id_the_same_one_counts_however_they_lie(lake, server, crm):
    server.sql("INSERT INTO crm.tariff VALUES ('Zonal', false, 3, 'fixed')")
    context = lake(ELECTRICITY, **crm)
    try:
        run.run(context)
        assert rows(context, tables.PRODUCT, "display_name") == [("Variable",), ("Zonal",)]
        server.sql(
            "DELETE FROM crm.tariff WHERE display_name = 'Fixed'; INSERT INTO crm.tariff VALUES ('Fixed', false, 1, 'fixed')"
        )
        assert run.run(lake(ELECTRICITY, **crm)).deliveries == []
    finally:
        server.sql("DELETE FROM crm.tariff WHERE display_name = 'Zonal'")


def test_a_server_that_cannot_be_read_fails_the_run_after_the_good_deliveries_are_in(lake, electricity, server, crm):
    good = crm["reference"]
    context = lake(ELECTRICITY, **crm)
    listener = socket.socket()
    listener.bind((HERE, 0))
    listener.listen(8)
    silent = f"jdbc:postgresql://{HERE}:{listener.getsockname()[1]}/crm"
    faults = {
        'FATAL: database "none" does not exist': asked(server.url("none")),
        'relation "crm.nothing" does not exist': asked(good.url, tables=NAMES | {"product": "crm.nothing"}),
        'column "display_name" does not exist': asked(good.url, tables=NAMES | {"product": "crm.place"}),
        "permission denied for table hidden": asked(good.url, tables=NAMES | {"product": "crm.hidden"}),
        "timed out. (timeout_seconds = 4)": asked(silent),
        "Connection refused": asked(f"jdbc:postgresql://{HERE}:{free_port()}/crm"),
        "UnknownHostException: db.invalid": asked("jdbc:postgresql://db.invalid/crm"),
    }
    for number, (said, reference) in enumerate(faults.items()):
        began = time.monotonic()
        put(electricity, f"{number}.json", split_json([f"2021-02-01 {number:02}:00:00", "m1", "1"]))
        with pytest.raises(ReferenceDatabaseError) as caught:
            run.run(lake(ELECTRICITY, **(crm | {"reference": reference})))
        assert said in str(caught.value)
        assert reference.url in str(caught.value)
        assert "\n" not in str(caught.value)
        assert time.monotonic() - began < 60
        assert len(rows(context, tables.READINGS, "meter_id")) == 7 + number
    assert len(logged(context)) == len(faults)
    assert {row[2:] for row in logged(context)} == {("rejected", "UNREADABLE")}
    run.run(lake(ELECTRICITY, **crm))
    assert rows(context, tables.PRODUCT_DAY, "date") != []
    listener.close()


def test_a_wrong_password_is_said_once_and_stands_nowhere(lake, tmp_path, crm, monkeypatch, capfd):
    context = lake(ELECTRICITY, **crm)
    monkeypatch.setenv(VARIABLE, "wrong, and a secret")
    for _ in range(2):
        with pytest.raises(ReferenceDatabaseError, match='password authentication failed for user "reader"'):
            run.run(lake(ELECTRICITY, **crm))
    assert [row[2:] for row in logged(context)] == [("rejected", "UNREADABLE")]
    assert len(rows(context, tables.READINGS, "meter_id")) == 6
    monkeypatch.setenv(VARIABLE, SECRET)
    run.run(lake(ELECTRICITY, **crm))
    said = "".join(capfd.readouterr())
    for secret in ("wrong, and a secret", SECRET):
        assert secret not in said
        assert nowhere(secret, tmp_path)


def test_a_server_that_is_killed_between_two_runs_or_in_the_middle_ends_its_refusal_when_it_is_back(lake, server, crm):
    context = lake(ELECTRICITY, **crm)
    run.run(context)
    products = of_products(context)
    server.stop(signal.SIGQUIT)
    with pytest.raises(ReferenceDatabaseError, match="Connection refused"):
        run.run(lake(ELECTRICITY, **crm))
    server.start()
    run.run(lake(ELECTRICITY, **crm))
    assert standing_refusals(ingestion_log.logged(context.next_run())) == []
    # A view that answers only when the server is gone.
    server.sql(
        f"CREATE VIEW crm.slow AS SELECT 'Fixed' AS display_name, false AS is_variable, 1 AS id, 'fixed' || pg_sleep(60)::text AS product_id;"
        f"GRANT SELECT ON crm.slow TO {READER}"
    )
    slow = asked(server.url(), tables=NAMES | {"product": "crm.slow"}, timeout_seconds=50)
    killer = threading.Thread(target=kill_while_it_answers, args=[server])
    killer.start()
    with pytest.raises(ReferenceDatabaseError, match=rf"terminating connection|I/O error occurred|{LOST_REASON}"):
        run.run(lake(ELECTRICITY, **(crm | {"reference": slow})))
    killer.join()
    server.start()
    # The server's own end of a statement that takes too long.
    with pytest.raises(ReferenceDatabaseError, match=rf"(canceling statement .*|{LOST_REASON} \()timeout_seconds = 4"):
        run.run(lake(ELECTRICITY, **(crm | {"reference": asked(server.url(), tables=slow.names)})))
    run.run(lake(ELECTRICITY, **crm))
    assert of_products(context) == products
    assert standing_refusals(ingestion_log.logged(context.next_run())) == []
    loaded = ["duplicate", "duplicate", "loaded", "rejected", "rejected", "rejected"]
    assert sorted(row[2] for row in logged(context)) == loaded


def kill_while_it_answers(server) -> None:
    """As if the machine went dark in the middle of a query of the reader's."""
    working = f"FROM pg_stat_activity WHERE usename = '{READER}' AND now() - query_start > interval '1 second'"
    until(lambda: int(server.sql(f"SELECT count(*) {working} AND state = 'active'")), "a query")
    server.stop(signal.SIGQUIT)


def configure(folder: Path, reference: str, more: str = "") -> Path:
    path = folder / "meterlake.toml"
    feed = (
        f'name = "electricity"\nformat = "split_json"\npath = "{folder / "electricity"}"\ntime_zone = "Europe/London"'
    )
    named = ", ".join(f'{ours} = "{theirs}"' for ours, theirs in NAMES.items())
    path.write_text(
        f'lake = "{folder / "lake"}"\n[[feeds]]\n{feed}\n[reference]\n{reference}\nuser = "{READER}"\n'
        f'password_env = "{VARIABLE}"\ntables = {{ {named} }}\nfeeds = ["electricity"]\n{more}'
    )
    return path


def test_the_command_ends_with_1_for_a_server_and_with_2_for_a_variable(tmp_path, server, crm, monkeypatch):
    config = configure(tmp_path, f'url = "{server.url()}"')
    monkeypatch.delenv(VARIABLE)
    refused = command("run", config=config)
    assert refused.exit_code == 2, refused.output
    assert f"the environment variable {VARIABLE} holds no password" in refused.output
    assert not (tmp_path / "lake").exists()
    monkeypatch.setenv(VARIABLE, "wrong")
    failed = command("run", config=config)
    assert failed.exit_code == 1, failed.output
    (line,) = (line for line in failed.output.splitlines() if line.startswith("meterlake:"))
    assert f"{server.url()}: FATAL: password authentication failed" in line
    monkeypatch.setenv(VARIABLE, SECRET)
    assert command("run", config=config).exit_code == 0
    # Silver and gold need no password, and no server.
    monkeypatch.delenv(VARIABLE)
    assert command("run", "silver", config=config).exit_code == 0


def test_the_drivers_jar_is_found_where_a_user_puts_it(electricity, tmp_path, drivers, server, crm):
    """A process of its own, whose session knows the driver by the configuration."""
    jar = drivers["org.postgresql"]
    for name, folder in (("spark.jars", "one"), ("spark.driver.extraClassPath", "other")):
        place = tmp_path / folder
        shutil.copytree(electricity, place / "electricity")
        config = configure(place, f'url = "{server.url()}"', f'[spark]\n"{name}" = "{jar}"\n')
        jars = str(fetch_jars.jar_folder().absolute())
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "run", "--json", "--config", str(config)],
            cwd=place,
            env=environment(METERLAKE_JARS=jars, **{VARIABLE: SECRET}),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert json.loads(done.stdout)["status"] == {"loaded": 2}


def test_other_databases_are_asked_by_their_own_driver_or_it_is_said_that_there_is_none(with_drivers, monkeypatch):
    monkeypatch.setenv(VARIABLE, SECRET)
    port = free_port()
    # The driver is there and tries: these are its own words.
    with pytest.raises(ReferenceDatabaseError, match=f"TCP/IP connection to the host {HERE}, port {port} has failed"):
        Server(asked(f"jdbc:sqlserver://{HERE}:{port};databaseName=crm;encrypt=false")).read(with_drivers)
    with pytest.raises(ReferenceDatabaseError, match=r"class path has no oracle\.jdbc\.OracleDriver: add its JAR"):
        Server(asked("jdbc:oracle:thin:@//db.invalid/crm")).read(with_drivers)
    with pytest.raises(ReferenceDatabaseError, match="class path has no driver for its URL: add its JAR"):
        Server(asked("jdbc:unheard-of://db/crm")).read(with_drivers)
