"""Which product counts for a meter on a day, from rows that the driver holds."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.layers.agreements import NO_AGREEMENT, product_of_meter

PRODUCTS = [{"product_id": "fixed", "display_name": "Fixed"}, {"product_id": "old", "display_name": None}]
AGREEMENTS = [
    {"agreement_id": 1, "valid_from": date(2021, 1, 1), "valid_to": date(2021, 3, 1), "product_id": "fixed"},
    {"agreement_id": 2, "valid_from": date(2021, 2, 1), "valid_to": None, "product_id": "old"},
    {"agreement_id": 3, "valid_from": date(2021, 2, 1), "valid_to": date(2021, 2, 2), "product_id": "unknown"},
]


@pytest.mark.parametrize(
    ("day", "product"),
    [
        (date(2020, 12, 31), NO_AGREEMENT),
        (date(2021, 1, 1), "Fixed"),
        (date(2021, 1, 31), "Fixed"),
        (date(2021, 2, 1), "unknown"),  # of two that begin on one day the higher number; it is not in the database
        (date(2021, 2, 2), "old"),  # the later beginning counts; without a name it is the id
        (date(2021, 3, 1), "old"),
    ],
)
def test_the_agreement_that_began_last_counts_from_its_first_day_to_the_day_before_its_end(day, product):
    assert product_of_meter(AGREEMENTS, PRODUCTS, day) == product
