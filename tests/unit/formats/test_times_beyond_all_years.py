"""Times that UTC or the local clock shows in the years 1 to 9999 and the other does not: refused in Spark's words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import trial
from pipeline.formats.green_button_document import DESCRIBED
from pipeline.formats.green_button_rows import SAID

RECEIVED = datetime(2026, 11, 30, tzinfo=UTC)
LATE = "more than 7 days after its delivery came"
EARLY = "before 1970-01-01"


def green(start):
    given = {"usage_point": "m", "uom": "72", "flow_direction": "1", "value": "1", "duration": "3600", "start": start}
    return dict.fromkeys((*DESCRIBED, *SAID)) | given


def day(text):
    return {"ext_dev_ref": "m", "date": text, "energy_consumption": ["1"] * 24, "client_id": "c", "resolution": None}


def smrt(day, hour):
    return {"meter_number": "1", "measurement_date": day, "measurement_time": hour, "consumption": "1", "raw": None}


def split(label):
    return {"interval_start": label, "meter_id": "m", "consumption": "1", "raw": None}


def obis(label):
    return {
        "measurement": None,
        "timestamp": label,
        "muid": "m",
        "quality": None,
        "obis": [("0100011D00FF", "1")],
        "raw": None,
    }


CASES = [
    ("smrt", "Pacific/Apia", smrt("99991231", "2300"), "'99991231 2300'", LATE),
    ("smrt", "America/New_York", smrt("00010101", "0000"), "'00010101 0000'", EARLY),
    ("split_json", "America/New_York", split("9999-12-31 23:00:00"), "'9999-12-31 23:00:00'", LATE),
    ("split_json", "Europe/Vilnius", split("0001-01-01 00:00:00"), "'0001-01-01 00:00:00'", EARLY),
    ("obis_json", "Pacific/Apia", obis("9999-12-31T23:00:00Z"), "'9999-12-31T23:00:00Z'", LATE),
    ("green_button", "Pacific/Apia", green("253402297200"), "'253402297200'", LATE),
    ("green_button", "America/New_York", green("-62135596800"), "'-62135596800'", EARLY),
    ("interval_parquet", "America/New_York", day("9999-12-31"), "'9999-12-31'", LATE),
    ("interval_parquet", "Europe/Vilnius", day("0001-01-01"), "'0001-01-01'", EARLY),
    ("obis_json", "America/New_York", obis("0001-01-01T00:00:00Z"), "'0001-01-01T00:00:00Z'", EARLY),
]


@pytest.mark.parametrize(("form", "zone", "row", "said", "why"), CASES)
def test_a_row_is_refused_as_out_of_range_and_counted(form, zone, row, said, why):
    feed = Feed(name="f", format=form, path="landing", time_zone=zone)
    if form == "split_json":
        row = {getattr(feed.columns, name, name): value for name, value in row.items()}
    found = trial.of_rows([row | {"row_number": 1}], Delivery("f", "a", "a", "a", 1, RECEIVED), feed, RECEIVED)
    assert [(each.reason_code, each.reason) for each in found.refused] == [
        ("INTERVAL_OUT_OF_RANGE", f"{said} is out of range: {why}")
    ]
    assert (found.delivery.rows_read, found.delivery.rows_accepted, found.delivery.rows_rejected) == (1, 0, 1)
    assert found.without_reading == 0
