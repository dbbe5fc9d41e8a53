"""A meter's id in a text: whole, and not as a part of another one; and what an erasure knows of its first try."""

from __future__ import annotations

import pytest

from pipeline.deliveries import erased
from pipeline.deliveries.delivery import Delivery


@pytest.mark.parametrize(
    "text",
    [
        '"CONSU","12","20210331"',
        "CONSU,12,20210331",
        '["2021-01-04 00:00:00",12,1]',
        '{"muid":12}',
        '{"muid": "12"}',
        "meter '12' is not digits",
        "of meter 12.",
        "12",
        " 12 ",
        "12;34",
        "a=12|b=3",
        "(12)",
    ],
)
def test_an_id_is_found_whole(text):
    assert "12" not in erased.without(text, "12")


@pytest.mark.parametrize(
    "text",
    ["1234", "3.12", "12.5", "012", "x12", "12x", "AB-12", "12-AB", "12/E1", "6/12", "_12", "12_", "+12", "ü12", "12ü"],
)
def test_a_part_of_another_id_or_number_is_not_the_id(text):
    assert erased.without(text, "12") == text


@pytest.mark.parametrize("text", ["2021-12-01", "12:30", "00:12", "00:12:30", "20211212"])
def test_a_part_of_a_time_is_not_the_id(text):
    assert erased.without(text, "12") == text


@pytest.mark.parametrize("meter", ["NMI/E1", "a.b", "(x", "m 1", "ä[1]", "a\\E", "1+1"])
def test_an_id_may_be_any_text(meter):
    assert erased.without(f'row "{meter}", and x{meter}x', meter) == f'row "(erased)", and x{meter}x'


def test_a_commit_says_how_many_rows_go_of_each_delivery_beside_what_the_log_counted_before():
    known = [
        Delivery("gas", "a", "a", "a", 1, None, file_id=number, rows_erased=before)
        for number, before in ((7, 0), (8, 4))
    ]
    assert erased.mark({7: 2}, {7: 1, 8: 3}, known) == {"erased": {"7": [0, 3], "8": [4, 3]}}
