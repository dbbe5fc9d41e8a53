"""Where the tables of a catalog lie: asked of Spark, so that readers can open them as tables of a folder or a store.

The catalog alone knows it: a managed table's folder has any name, and a table that an administrator drops and makes
again lies elsewhere. What a reader needs for the store (credentials, region) comes from its environment, as always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from deltalake.exceptions import DeltaError

from pipeline.errors import LakeError, MeterlakeError
from pipeline.lake import gate, tables
from pipeline.runtime import error_messages
from pipeline.runtime.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.config.settings import Settings
    from pipeline.lake.tables import Table


def located(context: Context, every: Sequence[Table]) -> Context:
    """The run for a reader without Spark: of a lake in a catalog, those tables at their places.

    The catalog is asked by a session that has ended on return. LakeError if this process cannot read there.
    """
    if tables.catalog_of(context.settings) is None:
        return context
    settings = context.settings.located(Places(context, every))
    must_be_readable(settings)
    return replace(context, settings=settings, answers={})


def must_be_readable(settings: Settings) -> None:
    """Raise LakeError if this process cannot read where the log of deliveries lies, of those that are located."""
    log = tables.INGESTION_LOG
    if log.full_name not in (settings.places or {}):
        return
    try:
        gate.at(settings, log)
    except (DeltaError, OSError) as problem:
        raise LakeError(
            settings.where,
            f"{log.full_name} lies at {tables.address(settings, log)}, which this process cannot read "
            f"({error_messages.one_line(problem)}): give it the store's credentials in its environment, or let Spark "
            "read: serve --engine spark, report --engine spark, sql",
        ) from None


def ask_again(context: Context) -> bool:
    """Where the tables of `located` lie now; returns whether that changed."""
    known = context.settings.places
    return isinstance(known, Places) and known.ask()


class Places(Mapping[str, str]):
    """`layer.table` -> path or URI of those tables that the catalog has, as it last said."""

    def __init__(self, context: Context, every: Sequence[Table]) -> None:
        # A context of its own: its session ends after each asking, because readers need none.
        self._asker = Context(context.settings, log=context.log)
        self._every = every
        self._found: dict[str, str] = {}
        self.ask()

    def ask(self) -> bool:
        """Ask the catalog; returns whether it said something new. LakeError if it cannot be: what is known stays."""
        from pipeline.lake.catalog.facts import CatalogFacts  # noqa: PLC0415 - a lake in a folder needs no PySpark

        before, catalog = self._found, self._asker.settings.where
        try:
            self._found = CatalogFacts(self._asker, catalog).places(self._every)
        except MeterlakeError:
            raise
        except Exception as problem:  # noqa: BLE001 - put in words while the JVM, which has them, is there
            said = error_messages.one_line(problem)
            raise LakeError(catalog, f"cannot be asked where its tables lie: {said}") from None
        finally:
            self._asker.end_spark()
        return self._found != before

    def __getitem__(self, name: str) -> str:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
