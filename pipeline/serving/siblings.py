"""The measures of all workers, whichever is asked: each leaves its own in a folder, and every one reads them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable
    from pathlib import Path

LEAVE_SECONDS = 1.0
LABEL = "worker"


@dataclass(frozen=True)
class Siblings(Collector):
    """The workers whose measures lie in a folder; this process is the one with the number."""

    folder: Path
    number: int

    def leave(self, registry: CollectorRegistry) -> None:
        """Write this worker's measures, in one step; those of a worker before it with the same number are replaced."""
        write_to_textfile(str(self.folder / f"{self.number}.prom"), registry)

    def keep_leaving(self, registry: CollectorRegistry, stop: threading.Event) -> None:
        """Leave them once a second, until `stop`."""
        while not stop.wait(LEAVE_SECONDS):
            self.leave(registry)

    def collect(self) -> Iterable[Metric]:
        """Every worker's measures, each with its number as a label: a counter that begins again is one worker's."""
        found: dict[str, Metric] = {}
        for path in sorted(self.folder.glob("*.prom")):
            for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
                into = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    into.add_sample(sample.name, {**sample.labels, LABEL: path.stem}, sample.value)
        return found.values()
