"""Green Button on the driver: whether a file is a sound Atom feed of ESPI, and what describes each of its readings.

XML is parsed by expat, with no DTD, no entities and no network. The readings are only counted: Spark takes them from
the text. What links say (whose readings an entry holds, and of which type) is resolved here, once for each entry.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.formats.feed_format import objection_to_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

ENDING = ".xml"
# Elements of a ReadingType, and the names of bronze's columns for them.
FACTS = {
    "uom": "uom",
    "poweroftenmultiplier": "power_of_ten_multiplier",
    "flowdirection": "flow_direction",
    "accumulationbehaviour": "accumulation_behaviour",
    "commodity": "commodity",
    "kind": "kind",
}
DESCRIBED = ("usage_point", *FACTS.values())
# Far more than a feed needs; Spark's parser recurses.
DEEPEST = 100
# Between the namespace and the name of an element: no document can hold it.
SEPARATOR = "\x01"
KINDS = {"usagepoint", "meterreading", "readingtype", "intervalblock"}


class _DtdError(Exception):
    """A document type is declared."""


@dataclass
class _Entry:
    """What an entry says: links by their `rel`, the kinds of its content, facts of a reading type."""

    links: list[tuple[str, str]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    facts: dict[str, str] = field(default_factory=dict)

    def hrefs(self, rel: str) -> list[str]:
        return [href for kind, href in self.links if kind == rel and href]

    @property
    def own(self) -> list[str]:
        """Its own link."""
        return self.hrefs("self")

    @property
    def collections(self) -> list[str]:
        """Where it lies: the link up, and what its own link lies in."""
        return [*self.hrefs("up"), *(href.rpartition("/")[0] for href in self.own if "/" in href)]

    def holds(self, collection: str) -> list[str]:
        """Addresses of what belongs to it: related ones, and the collection below its own."""
        return [*self.hrefs("related"), *(f"{href}/{collection}" for href in self.own)]


class _Reader:
    """Follows a document: `entries` in their order, how many readings there are, and what is `wrong` with its shape."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.readings = 0
        self.wrong: str | None = None
        self._path: list[str] = []
        self._text: list[str] | None = None

    def read(self, content: bytes) -> None:
        """Raises expat.ExpatError, or _DtdError."""
        # UTF-8 whatever the declaration says, because Spark reads the text so.
        parser = expat.ParserCreate("utf-8", SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._characters
        # No entity is there without a DTD.
        parser.StartDoctypeDeclHandler = _no_dtd
        parser.Parse(content, True)  # noqa: FBT003 - expat's own way to say that this is all

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        # Spark matches names without their namespace and in any case.
        path = self._path
        path.append(name.rpartition(SEPARATOR)[2].lower())
        depth = len(path)
        if depth > DEEPEST:
            self.wrong = self.wrong or f"elements lie in each other more than {DEEPEST} deep"
        elif depth == 1 and path[0] != "feed":
            self.wrong = f"the root is {path[0][:40]!r}, not a feed"
        elif depth == 2 and path[1] == "entry":  # noqa: PLR2004 - the depth of an entry
            self.entries.append(_Entry())
        elif depth > 2 and path[1] == "entry":  # noqa: PLR2004
            self._in_entry(depth, path, attributes)

    def _in_entry(self, depth: int, path: list[str], attributes: dict[str, str]) -> None:
        entry, name = self.entries[-1], path[-1]
        if depth == 3 and name == "link":  # noqa: PLR2004
            entry.links.append((attributes.get("rel", ""), address(attributes.get("href", ""))))
        elif depth == 4 and path[2] == "content" and name in KINDS:  # noqa: PLR2004
            entry.kinds.add(name)
        elif depth == 5 and path[2] == "content":  # noqa: PLR2004
            if path[3] == "intervalblock" and name == "intervalreading":
                self.readings += 1
            elif path[3] == "readingtype" and name in FACTS:
                self._text = []
        elif self._text is not None:
            self._text.append("<")  # an element in a value: no value of ours

    def _end(self, name: str) -> None:  # noqa: ARG002 - expat's
        last, depth = self._path.pop(), len(self._path)
        if self._text is not None and depth == 4:  # noqa: PLR2004
            self.entries[-1].facts[FACTS[last]] = "".join(self._text).strip(" \t\r\n")
            self._text = None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)


def _no_dtd(*_: object) -> None:
    raise _DtdError


def address(href: str) -> str:
    """A link's address, in one spelling."""
    return href.strip(" \t\r\n").partition("#")[0].partition("?")[0].rstrip("/")


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a return a reason
    """The delivery with its number of readings and what describes them, refused if it is no sound feed."""
    if not content.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n"):
        return delivery.refused("EMPTY_FILE", f"no content ({len(content)} bytes)")
    if objection := objection_to_name(delivery.file_name, feed.ending or ENDING, case_matters=False):
        return delivery.refused("BAD_FILE_NAME", objection)
    try:
        content.isascii() or content.decode()
    except UnicodeDecodeError as problem:
        return delivery.refused("NOT_UTF8", f"byte {problem.start + 1} is not UTF-8")
    reader = _Reader()
    if refusal := _refusal(reader, content):
        return delivery.refused(*refusal)
    return replace(delivery, rows_read=reader.readings, frame=tuple(_described(reader.entries)))


def _refusal(reader: _Reader, content: bytes) -> tuple[str, str] | None:
    """Why a document is refused, after the reader has read it."""
    if b"\x00" in content:  # UTF-16 without a mark: expat would read it, Spark does not
        return "MALFORMED_XML", "not XML in UTF-8: it holds a NUL"
    try:
        reader.read(content)
    except expat.ExpatError as problem:
        return "MALFORMED_XML", f"not XML: {problem}"
    except _DtdError:
        return "MALFORMED_XML", "a document type (DTD) is declared: its entities are not read"
    return ("WRONG_SHAPE", reader.wrong) if reader.wrong else None


def _described(entries: list[_Entry]) -> Iterable[str]:
    """For each entry with interval blocks, as JSON: its place among all, and its DESCRIBED values."""
    points, types = _by_own(entries, "usagepoint"), _by_own(entries, "readingtype")
    of_points = _by_what_they_hold(points.values(), "MeterReading")
    readings = _by_what_they_hold((entry for entry in entries if "meterreading" in entry.kinds), "IntervalBlock")
    for place, entry in enumerate(entries):
        if "intervalblock" in entry.kinds:
            reading = _first(readings, [*entry.collections, *entry.own])
            point = reading and _first(of_points, [*reading.collections, *reading.own])
            kind = reading and _first(types, reading.hrefs("related"))
            meter = point.own[0].rpartition("/")[2] if point and point.own else None
            facts = [(kind.facts.get(name) or None) if kind else None for name in FACTS.values()]
            yield json.dumps([place, meter or None, *facts])


def _by_own(entries: Iterable[_Entry], kind: str) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for entry in entries:
        if kind in entry.kinds:
            for href in entry.own:
                found.setdefault(href, entry)
    return found


def _by_what_they_hold(entries: Iterable[_Entry], collection: str) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for entry in entries:
        for href in entry.holds(collection):
            found.setdefault(href, entry)
    return found


def _first(known: dict[str, _Entry], hrefs: list[str]) -> _Entry | None:
    return next((known[href] for href in hrefs if href in known), None)
