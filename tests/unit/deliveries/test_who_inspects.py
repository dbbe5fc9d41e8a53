"""Who inspects the deliveries of a run: the driver, or Spark's executors."""

from __future__ import annotations

import pytest

from pipeline.deliveries import by_executors


@pytest.mark.parametrize(
    ("limit", "master", "megabytes", "is_theirs"),
    [
        (None, "local[2]", 5000, False),
        (None, "local", 5000, False),
        (None, "local-cluster[2,1,1024]", 5000, True),
        (None, "spark://h:7077", 5000, True),
        (None, "", 5000, True),
        (None, "spark://h:7077", 1024, False),
        (100, "local[2]", 101, True),
        (100, "spark://h:7077", 100, False),
        (0, "local[2]", 1, True),
        (0, "local[2]", 0, False),
    ],
)
def test_executors_inspect_large_runs_where_they_are_elsewhere_or_the_configuration_says_so(
    limit, master, megabytes, is_theirs
):
    assert by_executors.should_inspect(megabytes * 1_000_000, limit, lambda: master) == is_theirs


def test_the_master_is_not_asked_of_a_small_run():
    def asked():
        raise AssertionError

    assert not by_executors.should_inspect(1_000_000, None, asked)
