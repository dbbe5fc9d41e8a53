"""What the fuzz tests share: they report what was seen, and Spark runs them in compiled code, as a run does."""

from __future__ import annotations

from collections import Counter

import pytest

LINES = pytest.StashKey[list]()
EXCLUDED_RULES = "spark.sql.optimizer.excludedRules"


def pytest_configure(config):
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter):
    if lines := terminalreporter.config.stash[LINES]:
        terminalreporter.section("what the fuzzed files were")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture(scope="session")
def seen(request):
    """A function from a title and codes (None: sound) to those that were seen; it notes how many there were of each."""

    def note(title, codes):
        counts = Counter(codes)
        shares = [f"{code or 'sound'} {count}" for code, count in counts.most_common()]
        request.config.stash[LINES].append(f"{title}: {counts.total()}: {', '.join(shares)}")
        return counts

    return note


@pytest.fixture(scope="session")
def compiled(spark):
    """The session, without the optimiser's shortcut of computing small tables row by row."""
    before = spark.conf.get(EXCLUDED_RULES, None)
    spark.conf.set(EXCLUDED_RULES, "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation")
    yield spark
    spark.conf.unset(EXCLUDED_RULES) if before is None else spark.conf.set(EXCLUDED_RULES, before)
