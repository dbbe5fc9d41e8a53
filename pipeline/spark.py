"""PySpark's column functions, imported when the first of them is called.

Column rules stand beside facts that commands without a JVM need too (a format's bronze columns, its row rules in
Python). Importing PySpark takes half a second and its memory, so modules that both sides read take `F` and `Window`
from here. What only Spark jobs import, imports PySpark as usual.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["F", "Window"]


class _WhenUsed:
    """Stands for a module, or a class in one, until something of it is asked for."""

    def __init__(self, module: str, name: str | None = None) -> None:
        self._module, self._name = module, name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - whatever the module holds
        module = import_module(self._module)
        return getattr(getattr(module, self._name) if self._name else module, attribute)


if TYPE_CHECKING:
    from pyspark.sql import Window
    from pyspark.sql import functions as F
else:
    F = _WhenUsed("pyspark.sql.functions")
    Window = _WhenUsed("pyspark.sql", "Window")
