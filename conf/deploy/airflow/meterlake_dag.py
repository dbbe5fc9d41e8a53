"""Meterlake by Airflow: a run at eight each day, a check each night at four, maintenance on Sundays, by London's clock.

use       Copy this file into the folder of DAGs. Workers have the command `meterlake` (linked into PATH from its own
          virtual environment: Airflow pins other versions) and METERLAKE_CONFIG. One at a time, because without a lock
          to wait for (object store, catalog) one of two runs would fail:
          airflow pools set meterlake 1 "one writer"
          In the environment of Airflow, the day of the deployment: AIRFLOW_VAR_METERLAKE_SINCE=2026-12-01
validate  make test-deploy   (tests/deploy/test_airflow.py: Airflow 3.3 imports it and runs all with `dag.test()` on
          the demo lake, and schedules from that day). Not run on Composer; there the same commands are a
          KubernetesPodOperator's, in the image of conf/deploy/container.

A missed day is caught up by its own run, oldest first, with what was delivered in that day's interval. This begins with
the day in that variable, never with years before it was used; without the variable nothing is caught up. Deliveries
older than their interval (from before that day, or copied with their old times) wait for Sunday's plain run. Earlier
days, one interval each: airflow backfill create --dag-id meterlake_daily --from-date 2026-11-01 --to-date 2026-11-30
"""
# ruff: noqa: INP001 - a folder of DAGs is no package

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronDataIntervalTimetable, Variable

LONDON = "Europe/London"
# No retries: a second `run --strict` finds nothing new to refuse and would show a refusal as a success.
TASKS = {"pool": "meterlake", "retries": 0, "append_env": True}
# A day that stays: Airflow reads this file again and again, so "today" would never let an interval end.
SINCE = Variable.get("meterlake_since", default=None)
START = pendulum.parse(SINCE or "2026-01-01", tz=LONDON)

with DAG(
    "meterlake_daily",
    description="Deliveries since eight yesterday, into bronze, silver and gold",
    schedule=CronDataIntervalTimetable("0 8 * * *", timezone=LONDON),
    start_date=START,
    catchup=SINCE is not None,
    max_active_runs=1,
    default_args=TASKS,
    tags=["meterlake"],
):
    BashOperator(
        task_id="run",
        bash_command="meterlake run --from {{ data_interval_start | ts }} --to {{ data_interval_end | ts }}"
        " --strict --json --wait 3600",
    )

with DAG(
    "meterlake_nightly",
    description="Silver and gold compared with bronze",
    schedule=CronDataIntervalTimetable("0 4 * * *", timezone=LONDON),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=TASKS,
    tags=["meterlake"],
):
    BashOperator(task_id="verify", bash_command="meterlake verify --json --wait 3600")

with DAG(
    "meterlake_weekly",
    description="Pending days, then small files compacted and old versions removed",
    schedule=CronDataIntervalTimetable("0 3 * * 0", timezone=LONDON),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=TASKS,
    tags=["meterlake"],
):
    run = BashOperator(task_id="run", bash_command="meterlake run --strict --json --wait 3600")
    maintain = BashOperator(task_id="maintain", bash_command="meterlake maintain --json --wait 3600")
    run >> maintain
