"""The seed of what is drawn by lot: another each day, said at the start of a test run; TEST_SEED repeats one."""

from __future__ import annotations

import os
from datetime import UTC, datetime

SEED = int(os.environ.get("TEST_SEED") or f"{datetime.now(UTC):%Y%m%d}")
# How many lakes live through a history.
LAKES = int(os.environ.get("TEST_LAKES") or 10)
