"""Meterlake by Airflow: the command line's verbs, at eight each day and on Sundays at three, London's clock.

use       Copy this file into the folder of DAGs. Workers have the command `meterlake` (linked into PATH from its own
          virtual environment: Airflow pins other versions) and METERLAKE_CONFIG. One at a time, because without a lock
          to wait for (object store, catalog) one of two runs would fail:
          airflow pools set meterlake 1 "one writer"
validate  make test-deploy   (tests/deploy/test_airflow.py: Airflow 3.3 imports it and runs both with `dag.test()` on
          the demo lake). Not run on Composer; there the same commands are a KubernetesPodOperator's, in the image of
          conf/deploy/container.

A missed day is caught up by its own run, oldest first, with what was delivered in that day's interval: catch-up is a
backfill. Deliveries older than their interval (copied with their old times) wait for Sunday's plain run.
"""
# ruff: noqa: INP001 - a folder of DAGs is no package

from __future__ import annotations

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

LONDON = "Europe/London"
# No retries: a second `run --strict` finds nothing new to refuse and would show a refusal as a success.
TASKS = {"pool": "meterlake", "retries": 0, "append_env": True}
START = pendulum.datetime(2026, 1, 1, tz=LONDON)

with DAG(
    "meterlake_daily",
    description="Deliveries since eight yesterday, into bronze, silver and gold",
    schedule=CronDataIntervalTimetable("0 8 * * *", timezone=LONDON),
    start_date=START,
    catchup=True,
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
    "meterlake_weekly",
    description="Pending days, small files compacted, and silver and gold compared with bronze",
    schedule=CronDataIntervalTimetable("0 3 * * 0", timezone=LONDON),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=TASKS,
    tags=["meterlake"],
):
    run = BashOperator(task_id="run", bash_command="meterlake run --strict --json --wait 3600")
    maintain = BashOperator(task_id="maintain", bash_command="meterlake maintain --json --wait 3600")
    verify = BashOperator(task_id="verify", bash_command="meterlake verify --json --wait 3600")
    run >> maintain >> verify
