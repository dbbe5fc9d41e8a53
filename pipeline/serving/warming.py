"""Readings are in memory before they are requested: the newest days first, and those of a commit before it is shown.

Otherwise every client whose meter has readings on the days that a run commits would wait until these are read.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from pipeline.lake import tables
from pipeline.runtime.log import Log

if TYPE_CHECKING:
    import pyarrow.dataset as ds

    from pipeline.lake.snapshots import Snapshots, Version
    from pipeline.serving.asked import Service
    from pipeline.serving.meter_files import MeterFiles

# In a folder a look is two file checks, in a store a request.
LOOK_SECONDS, LOOK_SECONDS_IN_A_STORE = 0.1, 1.0
# A commit is shown within this time, whether or not its days were read by then. A run writes gold longer than that.
FRESH_SECONDS = 2.0


class Warm:
    """silver.readings as requests see it: at its newest version, once its files are in memory; see Shown."""

    def __init__(self, snapshots: Snapshots, files: MeterFiles) -> None:
        self._snapshots, self._files = snapshots, files
        self._shown: Version | None = None
        self._holds_earlier = False
        # When the version that is shown was known to be the newest.
        self._newest_at = -math.inf

    def opened(self) -> Version | None:
        """The version to answer from; None if there is no table."""
        if time.monotonic() - self._newest_at < FRESH_SECONDS:
            return self._shown
        return self._snapshots.newest(tables.READINGS)

    def forget(self) -> None:
        """Look at the table itself again: files of the version that is shown are gone."""
        self._newest_at = -math.inf

    def look(self, stop: threading.Event) -> None:
        """Follow once. What only an earlier version had is dropped one look later: no request reads it by then."""
        looked = time.monotonic()
        found = self._snapshots.newest(tables.READINGS)
        if found is not self._shown:
            self._files.warm(_newest_first(found), stop)
        elif self._holds_earlier:
            self._files.keep_only(_newest_first(found))
        self._holds_earlier = found is not self._shown
        self._shown = found
        self._newest_at = looked


def _newest_first(version: Version | None) -> list[ds.Fragment]:
    by_day = sorted(version.fragments.items(), key=lambda item: item[0][1], reverse=True) if version else []
    return [file for _, files in by_day for file in files]


def keep_warm(service: Service, stop: threading.Event) -> None:
    """Begin to follow silver.readings and the log, in a thread of its own, until `stop`."""
    warm = Warm(service.snapshots, service.files)
    in_a_store = "://" in tables.address(service.settings, tables.READINGS)
    seconds = LOOK_SECONDS_IN_A_STORE if in_a_store else LOOK_SECONDS
    service.snapshots.show(tables.READINGS, warm)
    threading.Thread(target=_follow, args=(service, warm, stop, seconds), name="warm", daemon=True).start()


def _follow(service: Service, warm: Warm, stop: threading.Event, look_seconds: float) -> None:
    """Read the files of each new version, as far as the memory limit allows, then show it; count the new deliveries."""
    log, counted = Log("serve"), None
    while not stop.is_set():
        try:
            warm.look(stop)
            pinned = service.snapshots.pin([tables.INGESTION_LOG])
            if pinned.identities != counted:
                service.log.count(pinned, None, None)
                counted = pinned.identities
        except Exception as problem:  # noqa: BLE001 - requests work without it, and it is retried
            log.warning("warming failed", problem=f"{type(problem).__name__}: {problem}")
        stop.wait(look_seconds)
