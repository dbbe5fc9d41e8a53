"""Arrays of instants -> local times, and back, for an engine that asks Python; columns.py does it for Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.clock import local_time, zones

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

INSTANT, LOCAL = pa.timestamp("us", "UTC"), pa.timestamp("us")


def wall_clock(at: pa.Array, zone: pa.Array) -> pa.Array:
    """The local times that the clocks of each zone show at the instants; NULL where one of them is."""
    return _by_zone(at, zone, LOCAL, _shown)


def first_instant(local: pa.Array, zone: pa.Array) -> pa.Array:
    """The (first) instants of local times; NULL where one of them is."""
    return _by_zone(local, zone, INSTANT, lambda some, name: _each(some, name, local_time.first_instant))


def _by_zone(
    values: pa.Array, zone: pa.Array, result: pa.DataType, convert: Callable[[pa.Array, str], pa.Array]
) -> pa.Array:
    names = [name for name in pc.unique(zone).to_pylist() if name is not None]
    if len(names) == 1 and not zone.null_count:
        return convert(values, names[0])
    found = pa.nulls(len(values), result)
    for name in names:
        chosen = pc.fill_null(pc.equal(zone, name), fill_value=False)
        found = pc.replace_with_mask(found, chosen, convert(values.filter(chosen), name))
    return found


def _shown(at: pa.Array, name: str) -> pa.Array:
    since, offsets = zones.offsets(name)
    micros = pc.fill_null(at.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    if micros.size and (micros.min() < since[0] or micros.max() >= since[-1]):
        return _each(at, name, local_time.wall_clock)  # years that the facts do not cover
    places = np.searchsorted(np.array(since), micros, side="right") - 1
    return pa.array(micros + np.array(offsets)[places], pa.int64(), mask=_nulls(at)).cast(LOCAL)


def _nulls(values: pa.Array) -> np.ndarray | None:
    return values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None


def _each(values: pa.Array, name: str, convert: Callable[[datetime, str], datetime | None]) -> pa.Array:
    known = {value: convert(value, name) for value in pc.unique(values).to_pylist() if value is not None}
    kind = INSTANT if values.type == LOCAL else LOCAL
    return pa.array([known.get(value) for value in values.to_pylist()], kind)
