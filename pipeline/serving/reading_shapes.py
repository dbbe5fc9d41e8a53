"""The columns of answers with readings: as delivered, summed, or every version; each with its energy in kWh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lake.tables import columns
from pipeline.serving import grains, shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOSE = columns(
    """
    feed STRING Name of the feed
    meter_id STRING Meter or meterpoint
    direction STRING import, export, production or consumption
    interval_start TIMESTAMP Start of the interval
    interval_end TIMESTAMP End of the interval, not included
    local_date DATE Local day that it starts in: raw, the feed's; summed, that of tz (month: its first day)
    """
)
ENERGY = columns(
    """
    consumption DECIMAL(28,6) Raw: the value as delivered, in unit; of sums the same as energy_kwh (deprecated there)
    unit STRING Unit of consumption: raw as delivered, kWh or Wh; of sums always kWh
    quality STRING Quality mark of the source; NULL if there is none; mixed: readings with different marks
    """
)
LINEAGE = columns(
    """
    file_id BIGINT The delivery it came with: /files/{file_id}
    row_number BIGINT Position in the delivery, from 1 (SMRT: the line of the file)
    """
)
READINGS = columns("readings INT How many readings are in the sum")
KWH = "energy_kwh"
IN_KWH = columns(f"{KWH} DECIMAL(28,6) Energy in kWh, whatever the unit: of Wh rounded half up, as in gold")
CURRENT = columns("is_current BOOLEAN Whether this version is the one that counts")
RAW = (*WHOSE, *ENERGY, *LINEAGE, *IN_KWH)
SUMS = (*WHOSE, *ENERGY, *READINGS, *IN_KWH)
RECEIVED = (*WHOSE, *ENERGY, *LINEAGE, *CURRENT)
VERSIONS = (*RECEIVED, *IN_KWH)
# All columns that an answer may have, for the OpenAPI document.
ALL = (*WHOSE, *IN_KWH, *ENERGY, *LINEAGE, *READINGS, *CURRENT)
SOMETIMES = {column.name for column in (*LINEAGE, *READINGS, *CURRENT)}
UNITS = {KWH: "kWh", "consumption": "column unit"}


def kwh_texts(micros: Sequence[int], units: Sequence[str], as_delivered: list[str]) -> list[str]:
    """Each value in kWh, from millionths of its unit; those that were delivered in kWh are what they were."""
    if "Wh" not in units:
        return as_delivered
    return [shapes.decimal_text(grains.micro_kwh(micro, unit)) for micro, unit in zip(micros, units, strict=True)]
