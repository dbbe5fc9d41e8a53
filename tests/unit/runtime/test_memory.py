"""A session of our own fits the largest delivery that waits, and a delivery fits the machine."""

from __future__ import annotations

import pytest

from pipeline.runtime import memory

GB = 1024**3


@pytest.fixture
def machine(monkeypatch):
    """A function that makes this a machine of so many gigabytes and cores."""

    def make(gigabytes, cores):
        monkeypatch.setattr(memory, "machine", lambda: gigabytes * GB)
        monkeypatch.setattr(memory, "CORES", cores)

    return make


@pytest.mark.parametrize(
    ("computer", "largest", "session"),
    [
        ((24, 2), 0, (4 * GB, 2)),
        ((24, 2), 60 * memory.MB, (4 * GB, 2)),
        ((24, 2), 200 * memory.MB, (12_000 * memory.MB, 2)),
        ((24, 2), 500 * memory.MB, (18 * GB, 1)),
        ((8, 8), 150 * memory.MB, (6 * GB, 1)),
        ((4, 8), 1 * memory.MB, (4 * GB, 8)),
        ((256, 64), 20 * memory.MB, (38_400 * memory.MB, 64)),
    ],
)
def test_heap_and_readers_fit_the_largest_delivery(machine, computer, largest, session):
    machine(*computer)
    assert memory.session_for(largest) == session


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(2, 143), (8, 214), (16, 429), (64, 512)])
def test_how_large_a_delivery_may_be_follows_from_the_machine(machine, gigabytes, megabytes):
    machine(gigabytes, 2)
    assert memory.largest_delivery() // memory.MB == megabytes
    assert memory.too_large(megabytes * memory.MB) is None
    assert "deliver it in parts" in memory.too_large((megabytes + 1) * memory.MB)
    assert memory.too_large(None) is None


def test_the_memory_of_this_machine_is_known():
    assert memory.machine() > GB // 4
