"""How much memory deliveries need in Spark, and how large one may be on this machine."""

from __future__ import annotations

import os
from pathlib import Path

CORES = os.cpu_count() or 1
MB = 1_000_000
USUAL_HEAP = 4096 * 1024 * 1024
# To Spark a delivery is one record, parsed as a whole. Measured with JSON, which needs most: 4 GB of heap are enough
# for 150 MB but not for 200 MB, 6 GB are enough for that.
HEAP_PER_BYTE = 30
# Whatever the memory: Spark's buffer for a record ends at 2 GB, which a delivery of this size may need.
LARGEST = 512 * MB


def machine() -> int:
    """Bytes of memory of this machine, or of our container."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return installed
    return min(installed, int(allowed)) if allowed.isdigit() else installed


def most_heap() -> int:
    """The most bytes a session of ours may use: a quarter is left to Python and the system."""
    return max(USUAL_HEAP, machine() * 3 // 4)


def largest_delivery() -> int:
    """The most bytes a delivery may have on this machine."""
    return min(LARGEST, most_heap() // HEAP_PER_BYTE)


def too_large(size: int | None) -> str | None:
    """Why a delivery of so many bytes is refused; None if it is not."""
    if size is None or size <= largest_delivery():
        return None
    return (
        f"{size / MB:,.0f} MB in one delivery; on a machine of {machine() / MB:,.0f} MB it may have "
        f"{largest_delivery() / MB:,.0f} MB: deliver it in parts"
    )


def session_for(largest: int) -> tuple[int, int]:
    """(bytes of heap, deliveries read at once) for deliveries of up to `largest` bytes.

    >>> session_for(1_000_000) == (USUAL_HEAP, CORES)
    True
    """
    need = max(1, largest * HEAP_PER_BYTE)
    heap = min(max(USUAL_HEAP, need * CORES), most_heap())
    return heap, max(1, min(CORES, heap // need))
