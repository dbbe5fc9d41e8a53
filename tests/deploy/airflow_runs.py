"""Runs in .venv-airflow: imports the DAGs as Airflow does, then runs one with `dag.test()`; prints the result.

Without a DAG it prints when the scheduler, which reads DAGs from a serialized form, would first start each of them.

python airflow_runs.py FOLDER DAG LOGICAL_DATE
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

folder, name, moment = sys.argv[1:]
bag = DagBag(dag_folder=folder)
facts = {"errors": bag.import_errors, "first": {}}
if name == "none":
    for dag_id, dag in bag.dags.items():
        scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        first = scheduled.next_dagrun_info(last_automated_run_info=None).data_interval
        facts["first"][dag_id] = [first.start.isoformat(), first.end.isoformat()]
if name != "none":
    ended = bag.dags[name].test(logical_date=datetime.fromisoformat(moment))
    facts |= {
        "state": str(ended.state),
        "interval": [ended.data_interval_start.isoformat(), ended.data_interval_end.isoformat()],
        "tasks": {task.task_id: str(task.state) for task in ended.get_task_instances()},
    }
sys.stdout.write("\nFACTS " + json.dumps(facts) + "\n")
