"""One lake with its senders, drawn at random, and the ledger that knows what it should say after each step."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest

from jobs import maintain, withdraw
from pipeline.deliveries import ingestion_log
from pipeline.lake import access, data_files, tables
from pipeline.lake.path import reads, writes
from pipeline.runtime import failpoints
from tests.faults.a_lake import CONFIG, Lake
from tests.faults.commands import must_be_conserved, must_be_whole, must_end_true
from tests.faults.ledger import DAYS, Ledger, Reading
from tests.faults.test_crashes import PLACES
from tests.jobs.conftest import database, put, smrt, split_json

SENDERS, STEPS = 20, 8
KINDS = ("new", "new", "correct", "again", "back", "cut", "gas", "gas", "gas conflict", "gas copy")
DATES = (date(2021, 3, 1), DAYS[1], DAYS[2])
# How often a withdrawal or a maintenance comes after a finished run, and not after an arbitrary step.
SETTLED = 0.3


def values(context, table, *columns):
    """The rows of a table, those columns of them."""
    return [tuple(row.values()) for row in access.small_rows(context, table, columns)]


class History:
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
        self.dice, self.folder = dice, folder
        self.patch = pytest.MonkeyPatch()
        (folder / "meterlake.toml").write_text(CONFIG)
        for name in ("gas", "electricity"):
            (folder / name).mkdir()
        self.lake, self.ledger = Lake(folder), Ledger()
        self.minutes, self.numbers = 0, 0
        # Files that no run has seen yet: path -> what the ledger will decide, in order.
        self.waiting = {}
        self.files = {}
        # Agreements as the database has them: the ledger learns them when a run takes a snapshot of it.
        self.agreements = {}
        self.agree({0: (DATES[0], "Fixed")})
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

    def agree(self, changes):
        """Another agreement for some senders' first meters."""
        for sender, (since, product) in changes.items():
            self.agreements.setdefault(f"m{sender}a", []).append((since, None, product))
        agreements = [
            (number, since.isoformat(), None, product.lower(), meter, "account")
            for number, (meter, since, product) in enumerate(
                [(meter, since, product) for meter, some in self.agreements.items() for since, _, product in some],
                1,
            )
        ]
        database(self.folder / "reference.db", agreements)

    def deliveries_arrive(self):
        for _ in range(self.dice.randint(SENDERS // 2, SENDERS * 2)):
            sender, kind = self.dice.randrange(SENDERS), self.dice.choice(KINDS)
            cells = [self.cell() for _ in range(self.dice.randint(0, 4))]
            self.minutes += 1
            if kind.startswith("gas"):
                self.gas(sender, kind, cells)
            else:
                self.electricity(sender, kind, cells)

    def cell(self):
        """Which of the sender's meters, the day, the slot, the value: a negative one is refused."""
        return self.dice.randrange(2), self.dice.choice(DAYS), self.dice.randint(0, 4), self.dice.randint(-1, 9)

    def electricity(self, sender, kind, cells):
        mine = sorted(path for path in self.files if path.startswith(f"s{sender}/"))
        readings = tuple(
            {(m, d, s): Reading(f"m{sender}{'ab'[m]}", d, s, f"{v}.{sender:03}") for m, d, s, v in cells}.values()
        )
        content = split_json(*([each.label(), each.meter, each.value] for each in readings))
        if kind == "new" or not mine:
            self.numbers += 1
            path = f"s{sender}/{self.numbers}.json"
        else:
            path = mine[-1]
        if kind == "cut":
            content, readings = content[: len(content) // 2], None
        if kind in {"again", "back"} and path in self.files:
            content, readings = self.files[path][-1 if kind == "again" else 0]
        self.files.setdefault(path, []).append((content, readings))
        self.lies("electricity", path, content, readings)

    def gas(self, sender, kind, cells):
        mine = sorted(path for path in self.files if path.startswith(f"g{sender}/"))
        readings = tuple({(d, s): Reading(f"{sender:03}", d, s, str(max(v, 0))) for _, d, s, v in cells}.values())
        if kind == "gas" or not mine:
            self.numbers += 1
            name = f"PN{self.numbers:06}"
            path = f"g{sender}/{name}.SMRT"
        else:
            name = mine[-1].rsplit("/", 1)[-1].removesuffix(".SMRT")
            path = f"g{sender}/{kind[4:]}{self.minutes}/{name}.SMRT"
        created = f'"20210401","{self.minutes // 60:02}{self.minutes % 60:02}00"'
        lines = (f'"{each.meter}","{each.day:%Y%m%d}","{each.slot:02}00",{each.value}' for each in readings)
        content = smrt(name, *lines, created=created)
        if kind == "gas copy" and mine:
            content, readings = self.files[mine[-1]][0]
        self.files.setdefault(path, []).append((content, readings))
        self.lies("gas", path, content, readings)

    def lies(self, feed, path, content, readings):
        put(self.folder / feed, path, content, self.minutes)
        self.waiting.pop((feed, path), None)  # a run will find only the last one
        self.waiting[feed, path] = (content, readings)

    def agreements_change(self):
        senders = self.dice.sample(range(SENDERS), self.dice.randint(1, 6))
        self.agree({each: (self.dice.choice(DATES), self.dice.choice(["Fixed", "Variable"])) for each in senders})

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
        context, ledger = self.lake.context(), self.ledger
        must_be_whole(self.lake)
        must_be_conserved(self.lake)
        must_end_true(self.lake)
        decided = [(e.feed, e.relative_path, e.status) for e in ingestion_log.logged(context) if e.feed != "reference"]
        assert sorted(decided) == sorted((each.feed, each.path, each.status) for each in ledger.arrived)
        current = values(context, tables.READINGS, "feed", "meter_id", "interval_start", "local_date", "consumption")
        assert {key[:3]: key[3:] for key in current} == ledger.current()
        assert len(current) == len(ledger.current())
        assert len(values(context, tables.REJECTED, "row_number")) == ledger.rejected()
        days = values(context, tables.METER_DAY, "feed", "meter_id", "local_date", "consumption", "intervals_received")
        assert {key[:3]: key[3:] for key in days} == ledger.meter_days()
        halves = values(context, tables.HALF_HOUR, "interval_start", "total_kwh", "meterpoint_count")
        assert {start: rest for start, *rest in halves} == {
            start: list(rest) for start, rest in ledger.half_hours().items()
        }
        products = values(context, tables.PRODUCT_DAY, "date", "product_display_name", "total_kwh")
        assert {key[:2]: key[2] for key in products} == ledger.products()
