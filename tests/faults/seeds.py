"""The seed of random tests: a new one each day, shown at the start of a test run; TEST_SEED repeats one."""

from __future__ import annotations

import os
from datetime import UTC, datetime

SEED = int(os.environ.get("TEST_SEED") or f"{datetime.now(UTC):%Y%m%d}")
# How many lakes go through a history.
LAKES = int(os.environ.get("TEST_LAKES") or 10)
