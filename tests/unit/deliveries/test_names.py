"""Which delivery a name means: a path comes before a bare name, and a name with its feed before one without."""

from __future__ import annotations

import pytest

from pipeline.deliveries.delivery import CONFLICT, DUPLICATE, LOADED, REJECTED, WITHDRAWN, Delivery
from pipeline.deliveries.names import delivery_named
from pipeline.errors import UsageError


def logged(number, path, status, feed="gas"):
    return Delivery(feed, path.rsplit("/", 1)[-1], f"/in/{path}", path, 1, None, status=status, file_id=number)


KNOWN = [
    logged(1, "PN1.SMRT", WITHDRAWN),
    logged(2, "resent/PN1.SMRT", CONFLICT),
    logged(3, "a/PN2.SMRT", REJECTED),
    logged(4, "b/PN2.SMRT", REJECTED),
    logged(5, "c/PN2.SMRT", DUPLICATE),
    logged(6, "1.json", REJECTED, "electricity"),
    logged(7, "1.json", LOADED, "electricity"),
    logged(8, "1.json", LOADED, "solar"),
]
REPLAYABLE = {LOADED, REJECTED, CONFLICT, WITHDRAWN}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("gas/PN1.SMRT", 1),  # the path of one, and the bare name of another too
        ("PN1.SMRT", 1),
        ("gas/resent/PN1.SMRT", 2),
        ("resent/PN1.SMRT", 2),
        ("#4", 4),
        ("b/PN2.SMRT", 4),
        ("electricity/1.json", 7),  # the newest of that path
    ],
)
def test_a_delivery_is_found_by_path_number_or_name(name, number):
    assert delivery_named(KNOWN, name, REPLAYABLE, "replay").file_id == number


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("PN2.SMRT", r"means 2 deliveries \(a/PN2.SMRT, b/PN2.SMRT\): give the path"),
        ("gas/PN2.SMRT", "means 2 deliveries"),
        ("1.json", "is a delivery of electricity, solar: add the feed, such as electricity/1.json"),
        ("#5", r"file 5 \(c/PN2.SMRT\) is duplicate: there is nothing to replay"),
        ("nothing.json", "no delivery 'nothing.json' in the log"),
    ],
)
def test_a_name_that_means_several_or_none_is_refused(name, says):
    with pytest.raises(UsageError, match=says):
        delivery_named(KNOWN, name, REPLAYABLE, "replay")
