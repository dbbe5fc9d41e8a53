"""Loads readings into memory before they are requested: the newest days first, again after every commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lake import tables
from pipeline.runtime.log import Log

if TYPE_CHECKING:
    import threading

    from pipeline.serving.asked import Service

LOOK_SECONDS = 1.0


def keep_warm(service: Service, stop: threading.Event) -> None:
    """Until `stop`: count the log, and read the files of silver's newest version, as far as the memory limit allows."""
    log, seen = Log("serve"), None
    while not stop.is_set():
        try:
            pinned = service.snapshots.pin([tables.READINGS, tables.INGESTION_LOG])
            service.log.count(pinned, None, None)
            found = pinned.opened[tables.READINGS.full_name]
            if found is not None and found.version != seen:
                newest_first = sorted(found.fragments.items(), key=lambda item: item[0][1], reverse=True)
                service.files.warm([file for _, files in newest_first for file in files], stop)
                seen = found.version
        except Exception as problem:  # noqa: BLE001 - requests work without it, and it is retried
            log.warning("warming failed", problem=f"{type(problem).__name__}: {problem}")
        stop.wait(LOOK_SECONDS)
