"""How much memory deliveries need on their way through Spark, and how large one may be on this machine."""

from __future__ import annotations

import os
from pathlib import Path

CORES = os.cpu_count() or 1
MB = 1_000_000
USUAL_HEAP = 4096 * 1024 * 1024
# A delivery is one record to Spark, parsed as a whole. Measured with JSON, which needs most: 4 GB of heap take one of
# 150 MB and not of 200, 6 GB take that.
HEAP_PER_BYTE = 30
# Whatever the memory: Spark's buffers of a record end at 2 GB, which one of this size may come to.
LARGEST = 512 * MB


def machine() -> int:
    """Bytes of memory that this machine, or the container we are in, has."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return installed
    return min(installed, int(allowed)) if allowed.isdigit() else installed


def most_heap() -> int:
    """Bytes that a session of ours may take at most: a quarter is left to Python and the system."""
    return max(USUAL_HEAP, machine() * 3 // 4)


def largest_delivery() -> int:
    """Bytes that a delivery may have on this machine."""
    return min(LARGEST, most_heap() // HEAP_PER_BYTE)


def too_large(size: int | None) -> str | None:
    """Why a delivery of so many bytes is refused; None where it is not."""
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
