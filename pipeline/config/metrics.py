"""The configuration of metrics and of when a run is due."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from pipeline.config.folders import as_opened
from pipeline.config.values import Strict, TimeOfDay, Zone


def _textfile(path: str) -> str:
    """Prometheus's node exporter reads only files with this ending."""
    if not as_opened(path).endswith(".prom") or "://" in path or "\0" in path:
        message = f"{path!r} cannot hold the metrics: name a local file that ends in .prom"
        raise ValueError(message)
    return path


class Metrics(Strict):
    """Metrics for Prometheus: the file that each run writes, and the time by which the day's run must succeed."""

    textfile: Annotated[str, AfterValidator(_textfile)] | None = None
    due: TimeOfDay = "08:30"
    time_zone: Zone = "Europe/London"
