"""One lake with its senders, drawn at random, and the ledger that knows what it should say after each step."""

from __future__ import annotations

from contextlib import suppress

import pytest

from jobs import maintain, withdraw
from pipeline.deliveries import ingestion_log
from pipeline.lake import data_files
from pipeline.lake.path import reads, writes
from pipeline.runtime import failpoints
from tests.faults.a_lake import CONFIG, Lake
from tests.faults.commands import must_be_whole
from tests.faults.ledger import Ledger
from tests.faults.ledger_and_lake import must_say_what_the_ledger_says
from tests.faults.senders import Senders
from tests.faults.test_crashes import PLACES

STEPS = 8
# How often a withdrawal or a maintenance comes after a finished run, and not after an arbitrary step.
SETTLED = 0.3


class History(Senders):
    """What happens is drawn with `dice`; each step ends with a lake that is right, or that the next run makes right."""

    # How often each step is drawn, beside the others.
    STEPS = {  # noqa: RUF012 - a table, never changed
        "deliveries_arrive": 4,
        "agreements_change": 1,
        "a_run": 1,
        "a_run_breaks_off": 4,
        "maintenance": 2,
        "one_is_withdrawn": 3,
        "the_writer_changes": 2,
    }

    def __init__(self, dice, folder):
        super().__init__(dice, folder)
        self.patch = pytest.MonkeyPatch()
        (folder / "meterlake.toml").write_text(CONFIG)
        self.lake, self.ledger = Lake(folder), Ledger()
        self.taken = []

    def live(self):
        """The steps, and a last run, after which there is nothing to do."""
        drawn = self.dice.choices([*self.STEPS], [*self.STEPS.values()], k=STEPS)
        try:
            for step in ("the_writer_changes", "deliveries_arrive", "a_run", "deliveries_arrive", *drawn, "ends"):
                self.taken.append(step)
                getattr(self, step)()
        except Exception as problem:
            problem.add_note(f"after the steps {self.taken}")
            raise
        finally:
            self.patch.undo()

    def says(self, drawn):
        """Note what was drawn, with the step."""
        self.taken.append(getattr(drawn, "full_name", str(drawn)))
        return drawn

    def ends(self):
        """The last step."""
        self.patch.undo()
        self.run_and_compare()
        before = self.lake.versions()
        self.lake.run()
        assert self.lake.versions() == before

    def the_writer_changes(self):
        """The driver writes few rows, Spark writes many; here they take turns on the same tables."""
        self.patch.undo()
        if self.says(self.dice.random() < 1 / 2):
            for module, limit in ((writes, "FEW_ROWS"), (reads, "FEW_TO_READ"), (data_files, "MOST_FILES")):
                self.patch.setattr(module, limit, -1)

    def a_run_breaks_off(self):
        place = self.says(self.dice.choice(PLACES))
        before = len(ingestion_log.logged(self.lake.context()))
        with pytest.MonkeyPatch.context() as patch:
            failpoints.forget()
            patch.setenv(failpoints.VARIABLE, f"raise:{place}")
            with suppress(failpoints.Killed):
                self.lake.run()
        # One commit logs all that a run decides: it stays decided; else the files are as if never seen.
        if len(ingestion_log.logged(self.lake.context())) > before:
            self.settle()

    def a_run(self):
        self.run_and_compare()

    def maintenance(self):
        """After a run, or after any other step: it does not move the layers forward."""
        if self.says(self.dice.random() < SETTLED):
            self.run_and_compare()
        maintain.run(self.lake.context(), 0, force=True, as_json=True)
        must_be_whole(self.lake)

    def one_is_withdrawn(self):
        """After a run, or after any other step: waiting deliveries still wait then."""
        if self.says(self.dice.random() < SETTLED):
            self.run_and_compare()
        loaded = [
            each
            for each in ingestion_log.logged(self.lake.context())
            if each.status == "loaded" and each.feed != "reference"
        ]
        if loaded:
            chosen = self.dice.choice(loaded)
            withdraw.run(self.lake.context(), f"#{chosen.file_id}", "", as_json=True)
            mine = [
                each
                for each in self.ledger.arrived
                if (each.feed, each.path, each.status) == (chosen.feed, chosen.relative_path, "loaded")
            ]
            mine[self.rank(chosen)].status = "withdrawn"
            self.compare()

    def rank(self, chosen):
        """Which of the loaded deliveries of this path it is."""
        same = [
            each.file_id
            for each in ingestion_log.logged(self.lake.context())
            if (each.feed, each.relative_path) == (chosen.feed, chosen.relative_path)
            and (each.status == "loaded" or each.file_id == chosen.file_id)
        ]
        return sorted(same).index(chosen.file_id)

    def settle(self):
        """The ledger decides the waiting files, in order of arrival."""
        self.ledger.agreements = {meter: list(some) for meter, some in self.agreements.items()}
        for (feed, place), (content, readings) in list(self.waiting.items()):
            del self.waiting[feed, place]
            if feed == "gas":
                self.ledger.decide_smrt(place, content, readings)
            else:
                self.ledger.decide_json(place, content, readings)

    def run_and_compare(self):
        self.lake.run()
        self.settle()
        self.compare()

    def compare(self):
        must_say_what_the_ledger_says(self.lake, self.ledger)
