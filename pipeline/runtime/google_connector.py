"""What Google's connector needs of Hadoop so that Spark reads and writes gs://.

Hadoop 3.5 has defaults for the connector's sizes, with units for a connector of its own. Google's knows no units: a
session that opens gs:// ends with `For input string: "64m"`. And Google's (up to 3.1) is built for Hadoop 3.3, so that
parquet's vectored reads end with a NoSuchMethodError on Hadoop 3.4 and 3.5, which every Spark 4 has. What a platform or
the configuration says stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEME = "gs://"
SIZES = (
    "fs.gs.block.size",
    "fs.gs.inputstream.inplace.seek.limit",
    "fs.gs.inputstream.min.range.request.size",
    "fs.gs.outputstream.buffer.size",
    "fs.gs.rewrite.max.chunk.size",
)
VECTORED = "parquet.hadoop.vectored.io.enabled"
IN_SPARK = "spark.hadoop."
_UNITS = "kmgtpe"


def settings(of_spark: Callable[[str], str | None], of_hadoop: Callable[[str], str | None]) -> dict[str, str]:
    """Spark's settings for the connector; `of_spark` and `of_hadoop` say what is set already, Spark's come first."""
    said = {name: of_spark(IN_SPARK + name) or of_hadoop(name) for name in (*SIZES, VECTORED)}
    found = {name: number for name in SIZES if (number := _in_bytes(said[name] or ""))}
    if said[VECTORED] is None:
        found[VECTORED] = "false"
    return {IN_SPARK + name: value for name, value in found.items()}


def _in_bytes(text: str) -> str | None:
    """A size with a unit as a number; None of any other text."""
    size = re.fullmatch(rf"(\d+)([{_UNITS}])b?", text.strip().lower())
    return str(int(size[1]) * 1024 ** (_UNITS.index(size[2]) + 1)) if size else None
