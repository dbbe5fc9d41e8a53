"""The page docs/data-dictionary.md, made from tables.py and views.py: `python -m pipeline.formats.data_dictionary`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings, load
from pipeline.lake import views

if TYPE_CHECKING:
    from pipeline.lake.tables import Table

HEAD = """# Data dictionary

Made from `pipeline/lake/tables.py` and `pipeline/lake/views.py` by `python -m pipeline.formats.data_dictionary`; a test
keeps it equal. Times are UTC instants; a `local_date` is a day of the feed's time zone; gold is in kWh. The bronze
tables are those of the feeds of conf/local.toml and of `sydney` (NEM12) and `homes` (Green Button): one for each feed,
its columns given by its format; for a csv feed (`berlin`, `leeds`) they are those that its configuration names.
"""
VIEWS = """In `sql`, and in the catalog in catalog mode. `reading_history` (every version received, with
`is_current`) is there in `sql` only: it applies the row rules to bronze."""
EXAMPLE = Path(__file__).parents[2] / "conf" / "local.toml"
MORE = {"sydney": "nem12", "homes": "green_button"}


def text() -> str:
    """The whole page."""
    more = (Feed(name=name, format=form, path=f"landing/{name}") for name, form in MORE.items())
    settings = Settings(lake="data_lake", feeds=(*load(EXAMPLE).feeds, *more))
    parts = [HEAD, *map(_table, formats.lake_tables(settings)), _views(settings)]
    return "\n".join(parts)


def _table(table: Table) -> str:
    facts = [f"Key: {', '.join(f'`{name}`' for name in table.key)}."]
    if table.partition_by:
        facts.append(f"Partitioned by {', '.join(f'`{name}`' for name in table.partition_by)}.")
    rows = [f"| `{column.name}` | {column.type} | {_cell(column.comment)} |" for column in table.columns]
    head = ["| column | type | what it is |", "|---|---|---|"]
    return "\n".join([f"## {table.full_name}", "", f"{table.comment}. {' '.join(facts)}", "", *head, *rows, ""])


def _views(settings: Settings) -> str:
    rows = [f"| `{view.name}` | {_cell(view.comment)} |" for view in views.all_views(settings)]
    return "\n".join(
        [
            "## Views",
            "",
            VIEWS,
            "",
            "| view | one row is |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def _cell(comment: str) -> str:
    return comment.replace("|", "\\|")


if __name__ == "__main__":
    Path("docs/data-dictionary.md").write_text(text(), encoding="utf-8")
