"""Twenty senders whose deliveries are drawn at random, and the agreements of the reference database."""

from __future__ import annotations

from datetime import date

from tests.faults.ledger import DAYS, Reading
from tests.jobs.conftest import database, put, smrt, split_json

SENDERS = 20
KINDS = ("new", "new", "correct", "again", "back", "cut", "gas", "gas", "gas conflict", "gas copy")
DATES = (date(2021, 3, 1), DAYS[1], DAYS[2])


class Senders:
    """Each has its own meters and files; what arrives is drawn with `dice` and waits in the landing folders."""

    def __init__(self, dice, folder):
        self.dice, self.folder = dice, folder
        for name in ("gas", "electricity"):
            (folder / name).mkdir()
        self.minutes, self.numbers = 0, 0
        # Files that no run has seen yet: path -> what the ledger will decide, in order.
        self.waiting = {}
        self.files = {}
        # Agreements as the database has them: the ledger learns them when a run takes a snapshot of it.
        self.agreements = {}
        self.agree({0: (DATES[0], "Fixed")})

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
