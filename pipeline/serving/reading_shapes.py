"""The columns of answers with readings: as delivered, summed, or every version."""

from __future__ import annotations

from pipeline.lake.tables import columns

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
    consumption DECIMAL(28,6) Energy of the interval, in unit
    unit STRING Unit: raw as delivered, kWh or Wh; summed always kWh
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
CURRENT = columns("is_current BOOLEAN Whether this version is the one that counts")
RAW = (*WHOSE, *ENERGY, *LINEAGE)
SUMS = (*WHOSE, *ENERGY, *READINGS)
VERSIONS = (*RAW, *CURRENT)
# All columns that an answer may have, for the OpenAPI document.
ALL = (*WHOSE, *ENERGY, *LINEAGE, *READINGS, *CURRENT)
SOMETIMES = (*LINEAGE, *READINGS, *CURRENT)
UNITS = {"consumption": "column unit"}
