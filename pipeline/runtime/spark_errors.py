"""What Spark's failures are: PySpark's own, and its gateway's, which a client of Spark Connect need not have."""

from __future__ import annotations

from pyspark.errors import PySparkException

SPARK_ERRORS: tuple[type[Exception], ...]
try:
    from py4j.protocol import Py4JError
except ImportError:
    SPARK_ERRORS = (PySparkException,)
else:
    SPARK_ERRORS = (PySparkException, Py4JError)
