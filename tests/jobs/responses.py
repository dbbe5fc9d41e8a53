"""Feeds that ask for responses, and what the responses of a folder say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.lake import tables
from tests.jobs.conftest import rows, smrt

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.feeds import Feed
    from pipeline.runtime.context import Context

HOUR = '"001","20210401","0000"'
CUT = smrt("PN000009")[:-9]  # without its trailer; to refuse it takes no Spark job


def asking(feed: Feed, folder: Path) -> Feed:
    return feed.model_copy(update={"acknowledge": str(folder)})


def responses(folder: Path) -> dict[str, dict[str, Any]]:
    """Path below the folder -> what the response says; every file there is one."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return {str(path.relative_to(folder)): json.loads(path.read_bytes()) for path in files}


def verdicts(folder: Path) -> dict[str, tuple[Any, ...]]:
    names = ("verdict", "reason_code", "rows_read", "rows_accepted", "rows_rejected")
    return {path: tuple(said[name] for name in names) for path, said in responses(folder).items()}


def noted(context: Context) -> list[tuple[Any, ...]]:
    return rows(context, tables.ACKNOWLEDGEMENTS, "file_id", "feed", "status", "batch_id")
