#!/usr/bin/env python3
"""Submit Meterlake to Dataproc, once for each environment and day however often it is called.

    submit.py batch    --project P --region europe-west2 --bucket B --environment production
    submit.py workflow --project P --region europe-west2 --bucket B --environment production

Needs `pip install google-cloud-dataproc PyYAML` and application default credentials. Validated by make test-deploy
(tests/deploy/test_dataproc.py sends both files to a server on loopback that speaks the API); never run on Google Cloud.

The id of the request consists of the environment and the day in London. Of two requests with one id, Dataproc accepts
the first and answers the second with it; it is also the name of the batch, which must be unique at any time.
A run that failed is submitted again as another attempt: --attempt 2.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date, datetime
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

import yaml
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import AlreadyExists
from google.cloud import dataproc_v1 as dataproc
from google.protobuf import json_format

HERE = Path(__file__).parent
LONDON = ZoneInfo("Europe/London")


def request_id(environment: str, day: date, attempt: int = 1) -> str:
    """Letters, digits and hyphens, at most 40: a valid name for a request and a batch."""
    return f"meterlake-{environment}-{day:%Y%m%d}" + (f"-{attempt}" if attempt > 1 else "")


def message(kind: str, values: dict[str, str]) -> dataproc.Batch | dataproc.WorkflowTemplate:
    """The file of that kind as the API's message; an unknown field is an error."""
    name, made = ("batch.yaml", dataproc.Batch()) if kind == "batch" else ("workflow.yaml", dataproc.WorkflowTemplate())
    told = yaml.safe_load(Template((HERE / name).read_text(encoding="utf-8")).substitute(values))
    json_format.ParseDict(told, type(made).pb(made), ignore_unknown_fields=False)
    return made


def submit(options: argparse.Namespace, transport: object = None) -> str:
    """Send it; returns the name of the operation, or of the existing batch."""
    values = {name: getattr(options, name) for name in ("project", "bucket", "environment")}
    parent, made = f"projects/{options.project}/locations/{options.region}", message(options.kind, values)
    wanted = request_id(options.environment, options.day, options.attempt)
    client_options = ClientOptions(api_endpoint=f"{options.region}-dataproc.googleapis.com:443")
    told = {"transport": transport} if transport else {"client_options": client_options}
    if options.kind == "batch":
        request = dataproc.CreateBatchRequest(parent=parent, batch=made, batch_id=wanted, request_id=wanted)
        try:
            return str(dataproc.BatchControllerClient(**told).create_batch(request).operation.name)
        except AlreadyExists:
            return f"{parent}/batches/{wanted}"
    parent = f"projects/{options.project}/regions/{options.region}"
    inline = dataproc.InstantiateInlineWorkflowTemplateRequest(parent=parent, template=made, request_id=wanted)
    client = dataproc.WorkflowTemplateServiceClient(**told)
    return str(client.instantiate_inline_workflow_template(inline).operation.name)


def asked(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Submit Meterlake to Dataproc, once for each environment and day.")
    parser.add_argument("kind", choices=["batch", "workflow"])
    for name in ("project", "region", "bucket"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--environment", choices=["production", "development"], required=True)
    parser.add_argument("--day", type=date.fromisoformat, default=datetime.now(LONDON).date(), help="default: today")
    parser.add_argument("--attempt", type=int, default=1, help="another one of the same day: 2, 3, …")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.stdout.write(submit(asked()) + "\n")
