"""The names that a query may use: tables, views and the reading history, with their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline import formats
from pipeline.lake import view_dialects
from pipeline.lake.views import all_views

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.settings import Settings
    from pipeline.lake.tables import Table
    from pipeline.lake.views import View

HISTORY = "reading_history"
HISTORY_COMMENT = "Every version of a reading that was received, judged again when it is asked for; by Spark only"
# Words that may follow a table's name where no alias does.
NOT_AN_ALIAS = frozenset(
    "ANTI ASOF CROSS EXCEPT FULL GROUP HAVING INNER INTERSECT JOIN LATERAL LEFT LIMIT NATURAL ON ORDER QUALIFY RIGHT "
    "SEMI SET TABLESAMPLE TIMESTAMP UNION USING VERSION WHERE WINDOW".split()
)


@dataclass(frozen=True)
class Names:
    """The tables and views of a lake."""

    tables: tuple[Table, ...]
    views: tuple[View, ...]

    @classmethod
    def of(cls, settings: Settings, dialect: view_dialects.Dialect = view_dialects.SPARK) -> Names:
        """Those of the settings; the views in an engine's dialect."""
        return cls(formats.lake_tables(settings), all_views(settings, dialect))

    @property
    def every(self) -> list[str]:
        """All names, tables first."""
        return [*(table.full_name for table in self.tables), *(view.name for view in self.views), HISTORY]

    def comment(self, name: str) -> str:
        """What a row of it is."""
        comments = {table.full_name: table.comment for table in self.tables}
        comments |= {view.name: view.comment for view in self.views}
        return comments.get(name, HISTORY_COMMENT)

    def table(self, name: str) -> Table | None:
        """The table of that name; None for a view."""
        return next((table for table in self.tables if table.full_name == name), None)

    def named(self, text: str) -> list[str]:
        """The names that stand in a text, in the order of `every`."""
        plain = _plain(text)
        return [name for name in self.every if re.search(rf"\b{re.escape(name)}\b", plain)]

    def with_used(self, wanted: Iterable[str]) -> set[str]:
        """The names, and what the views among them read, directly or not."""
        by_name = {view.name: view for view in self.views}
        found, waiting = set(), [*wanted]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += by_name[name].uses if name in by_name else []
        return found

    def aliases(self, text: str) -> dict[str, str]:
        """What a query calls its tables (`day`, and `meter_day` of `gold.meter_day`) -> their names."""
        plain, found = _plain(text), {}
        for name in self.named(text):
            found[name.rpartition(".")[2]] = name
            for alias in re.findall(rf"\b{re.escape(name)}\s+(?:as\s+)?([^\W\d]\w*)", plain):
                if alias.upper() not in NOT_AN_ALIAS:
                    found[alias] = name
        return found


def _plain(text: str) -> str:
    return re.sub(r"\s*\.\s*", ".", text.lower().replace("`", "").replace('"', ""))
