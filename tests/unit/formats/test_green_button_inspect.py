"""Green Button on the driver: which files are refused whole, and what links say of readings (contract, section 1)."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import green_button_document
from pipeline.formats.row_rules import FILE_CODES
from tests.green_button_feeds import (
    BASE,
    block,
    entry,
    feed,
    meter_reading,
    reading,
    reading_type,
    readings,
    usage_point,
    usual,
)

HOMES = Feed(name="homes", format="green_button", path="landing/homes")
GOOD = usual(readings([1, 2, 3]), readings([4]))
TEXT = GOOD.decode()


def looked_at(content, name="home.xml"):
    raw = content if isinstance(content, bytes) else content.encode()
    found = Delivery("homes", name, f"landing/homes/{name}", name, len(raw), datetime(2021, 3, 5, tzinfo=UTC))
    return green_button_document.inspect(raw, found, HOMES, "production")


def described(content):
    delivery = looked_at(content)
    assert delivery.reason_code is None, delivery.reason
    return [json.loads(each) for each in delivery.frame]


WH = ["72", "0", "1", "4", "1", "12"]


def test_a_sound_feed_says_how_many_readings_it_has_and_what_describes_each_entry_of_them():
    assert looked_at(GOOD).rows_read == 4
    assert described(GOOD) == [[3, "5446", *WH], [4, "5446", *WH]]


SOUND = {
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "prefixes": TEXT.replace("<feed xmlns", "<a:feed xmlns:a").replace("</feed", "</a:feed").replace("<entry", "<a:entry")
    .replace("</entry", "</a:entry").replace("<link", "<a:link").replace("<content", "<a:content").replace("</content", "</a:content"),
    "no declaration": TEXT.split("?>\n", 2)[2],
    "another encoding declared": TEXT.replace("UTF-8", "ISO-8859-1"),
    "names in another case": TEXT.replace("IntervalBlock", "IntervalBLock"),
    "a blank in a namespace": TEXT.replace("naesb.org/espi", "naesb org/espi"),
    "comments": TEXT.replace("<entry>", "<!-- <entry> --><entry>"),
    "a commented reading": TEXT.replace("</IntervalBlock>", f"<!-- {reading(9)} --></IntervalBlock>"),
    "a reading in CDATA": TEXT.replace("<title/>", f"<title><![CDATA[{reading(9)}]]></title>"),
    "a reading outside of a block": TEXT.replace("<title/>", reading(9)),
    "a reading deeper in a block": TEXT.replace("</IntervalBlock>", f"<x>{reading(9)}</x></IntervalBlock>"),
    "a block outside of an entry": TEXT.replace("</feed>", f"<content><IntervalBlock>{reading(9)}</IntervalBlock></content></feed>"),
}  # fmt: skip


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND.keys())
def test_a_file_is_sound_with(content):
    delivery = looked_at(content)
    assert (delivery.reason_code, delivery.rows_read) == (None, 4)
    assert [json.loads(each)[1:] for each in delivery.frame] == [["5446", *WH]] * 2


def test_a_feed_without_readings_is_sound_and_has_no_rows():
    for content in (feed(), usual(), usual(""), "<feed/>"):
        delivery = looked_at(content)
        assert (delivery.reason_code, delivery.rows_read) == (None, 0)


BOMB = '<!DOCTYPE feed [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
REFUSED = {
    "nothing": (b"", "EMPTY_FILE"),
    "blanks": (b"\xef\xbb\xbf \r\n", "EMPTY_FILE"),
    "UTF-16": (TEXT.encode("utf-16"), "NOT_UTF8"),
    "a Latin-1 letter": (TEXT.replace("Usage Feed", "Zähler").encode("latin-1"), "NOT_UTF8"),
    "UTF-16 without a byte order mark": (TEXT.encode("utf-16-le"), "MALFORMED_XML"),
    "a cut": (TEXT[:-20], "MALFORMED_XML"),
    "two documents": (TEXT.split("?>\n", 2)[2] * 2, "MALFORMED_XML"),
    "a stray tag": (TEXT.replace("</entry>", "</entri>", 1), "MALFORMED_XML"),
    "a prefix without a namespace": (TEXT.replace("<title/>", "<x:title/>"), "MALFORMED_XML"),
    "no XML": (b'{"data": []}', "MALFORMED_XML"),
    "an entity that is not declared": (TEXT.replace("Usage", "&nbsp;"), "MALFORMED_XML"),
    "a document type": (TEXT.replace("<feed", "<!DOCTYPE feed><feed"), "MALFORMED_XML"),
    "a DTD elsewhere": (TEXT.replace("<feed", '<!DOCTYPE feed SYSTEM "http://127.0.0.1:9/x.dtd"><feed'), "MALFORMED_XML"),
    "entities": (TEXT.replace("<feed", f"{BOMB}<feed").replace("Usage", "&b;"), "MALFORMED_XML"),
    "an entity of a file": (
        TEXT.replace("<feed", '<!DOCTYPE feed [<!ENTITY a SYSTEM "file:///etc/passwd">]><feed').replace("Usage", "&a;"),
        "MALFORMED_XML",
    ),
    "another root": (TEXT.replace("<feed", "<feeds").replace("</feed", "</feeds"), "WRONG_SHAPE"),
    "a web page": (b"<html><body>Sign in</body></html>", "WRONG_SHAPE"),
    "a thousand elements in each other": (b"<feed>" + b"<a>" * 1000 + b"</a>" * 1000 + b"</feed>", "WRONG_SHAPE"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_is_refused_whole_with(content, code):
    delivery = looked_at(content)
    assert (delivery.reason_code, delivery.status, delivery.rows_read) == (code, "rejected", 0)
    assert "\n" not in delivery.reason


def test_of_two_faults_the_first_in_the_order_of_the_codes_is_named():
    assert looked_at("<html><br></html>").reason_code == "MALFORMED_XML"
    assert looked_at(b"<feed>" + b"<a>" * 1000).reason_code == "MALFORMED_XML"
    assert looked_at("<!DOCTYPE html><html></html>").reason_code == "MALFORMED_XML"
    assert looked_at("<html>", "home.csv").reason_code == "BAD_FILE_NAME"


@pytest.mark.parametrize("name", ["home.csv", "home", "_home.xml", "a:b.xml", "home.xml.gz"])
def test_a_name_without_the_ending_or_that_spark_cannot_read_is_bad(name):
    assert looked_at(GOOD, name).reason_code == "BAD_FILE_NAME"
    assert looked_at(GOOD, "HOME.Xml").reason_code is None


def test_a_file_cut_at_any_byte_is_never_accepted():
    whole = GOOD.rstrip()
    assert {looked_at(whole[:n]).reason_code for n in range(1, len(whole))} == {"MALFORMED_XML"}


# --- links ----------------------------------------------------------------------------------------------------


def test_several_meters_and_types_are_told_apart_by_their_links():
    content = feed(
        block(reading(1), meter="2", number="b"),
        usage_point("1"), usage_point("2"),
        meter_reading("1", "a", "in"), meter_reading("1", "b", "out"), meter_reading("2", "a", "in"), meter_reading("2", "b", "volts"),
        block(reading(1), meter="1", number="b"), block(reading(1), meter="1", number="a"), block(reading(1), meter="2", number="a"),
        reading_type("in"), reading_type("out", flowDirection=19, powerOfTenMultiplier=-3), reading_type("volts", uom=29, commodity=None),
    )  # fmt: skip
    assert described(content) == [
        [0, "2", "29", "0", "1", "4", None, "12"],
        [7, "1", "72", "-3", "19", "4", "1", "12"],
        [8, "1", *WH],
        [9, "2", *WH],
    ]


MR = f"{BASE}/5446/MeterReading/01"
READING = '<MeterReading xmlns="http://naesb.org/espi"/>'
BLOCK = f"<IntervalBlock>{reading(1)}</IntervalBlock>"
TYPE = "/espi/1_1/resource/ReadingType/7"
LINKS = {
    "a slash at the end": (entry(READING, MR, f"{BASE}/5446/MeterReading/", [TYPE + "/"]), entry(BLOCK, None, MR + "/IntervalBlock/")),
    "a query": (entry(READING, MR, None, [TYPE + "?depth=1"]), entry(BLOCK, None, MR + "/IntervalBlock?published-min=1")),
    "no link up, but one of its own": (entry(READING, MR, None, [TYPE]), entry(BLOCK, MR + "/IntervalBlock/0173")),
    "no link of its own, but one up": (entry(READING, MR, None, [TYPE]), entry(BLOCK, None, MR + "/IntervalBlock")),
    "related to the block itself": (entry(READING, MR, None, [TYPE, "/Block/5"]), entry(BLOCK, "/Block/5")),
    "related to a collection elsewhere": (entry(READING, MR, None, [TYPE, "/Blocks"]), entry(BLOCK, "/x/5", "/Blocks")),
    "blanks around": (entry(READING, MR, None, [f" {TYPE}\n"]), entry(BLOCK, None, f"\t{MR}/IntervalBlock ")),
}  # fmt: skip


@pytest.mark.parametrize("entries", LINKS.values(), ids=LINKS.keys())
def test_links_are_followed_with(entries):
    assert described(feed(usage_point(), *entries, reading_type())) == [[2, "5446", *WH]]


NOTHING = [None] * 6
UNRESOLVED = {
    "no meter reading": ((usage_point(), reading_type()), [None, *NOTHING]),
    "another meter reading": ((usage_point(), meter_reading(number="02"), reading_type()), [None, *NOTHING]),
    "no usage point": ((meter_reading(), reading_type()), [None, *WH]),
    "no reading type": ((usage_point(), meter_reading()), ["5446", *NOTHING]),
    "another reading type": ((usage_point(), meter_reading(), reading_type("8")), ["5446", *NOTHING]),
    "a usage point without a link of its own": ((entry("<UsagePoint/>", None, None, [f"{BASE}/5446/MeterReading"]), meter_reading(), reading_type()), [None, *WH]),
    "empty links": ((entry("<UsagePoint/>", "", "", [""]), entry(READING, "", "", [""]), entry("<ReadingType/>", "", "")), [None, *NOTHING]),
    "an element in a fact": ((usage_point(), meter_reading(), reading_type(powerOfTenMultiplier="<x>3</x>")), ["5446", "72", "<3", *WH[2:]]),
    "an empty fact": ((usage_point(), meter_reading(), reading_type(uom="", flowDirection=" ")), ["5446", None, "0", None, "4", "1", "12"]),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "wanted"), UNRESOLVED.values(), ids=UNRESOLVED.keys())
def test_what_no_link_says_is_not_guessed(entries, wanted):
    assert described(feed(*entries, block(reading(1)))) == [[len(entries), *wanted]]


@given(
    st.lists(
        st.sampled_from([*"<>/&\"' ", "<feed>", "</feed>", "<entry>", "<!--", "]]>", "<![CDATA[", "é", "\x00"]),
        max_size=15,
    )
)
@settings(derandomize=True, deadline=None, max_examples=500)
def test_arbitrary_text_gets_a_verdict(pieces):
    delivery = looked_at("".join(pieces))
    assert delivery.reason_code is None or delivery.reason_code in FILE_CODES


def test_a_large_feed_is_read_in_seconds():
    content = usual(*[readings(range(96))] * 200)
    begun = time.process_time()
    assert looked_at(content).rows_read == 96 * 200
    assert time.process_time() - begun < 5
