"""Runs in .venv-airflow: imports the DAGs as Airflow does, then runs one with `dag.test()`; prints the result.

python airflow_runs.py FOLDER DAG LOGICAL_DATE
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

from airflow.dag_processing.dagbag import DagBag

folder, name, moment = sys.argv[1:]
bag = DagBag(dag_folder=folder)
facts = {"errors": bag.import_errors, "dags": sorted(bag.dags)}
if name != "none":
    ended = bag.dags[name].test(logical_date=datetime.fromisoformat(moment))
    facts |= {
        "state": str(ended.state),
        "interval": [ended.data_interval_start.isoformat(), ended.data_interval_end.isoformat()],
        "tasks": {task.task_id: str(task.state) for task in ended.get_task_instances()},
    }
sys.stdout.write("\nFACTS " + json.dumps(facts) + "\n")
