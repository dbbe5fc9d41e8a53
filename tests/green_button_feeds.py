"""Green Button feeds for tests: an Atom feed of ESPI, as utilities write them."""

from __future__ import annotations

QUARTER = 900
BASE = "https://utility.example.org/espi/1_1/resource/RetailCustomer/9b6c/UsagePoint"


def reading(value, start=1_614_780_000, duration=QUARTER, more=""):
    period = f"<timePeriod><duration>{duration}</duration><start>{start}</start></timePeriod>"
    return f"<IntervalReading><cost>29</cost>{more}{period}<value>{value}</value></IntervalReading>"


def readings(values, start=1_614_780_000, duration=QUARTER):
    return "".join(reading(value, start + n * duration, duration) for n, value in enumerate(values))


def entry(content, own=None, up=None, related=()):
    links = [("self", own), ("up", up), *(("related", href) for href in related)]
    written = "".join(f'<link rel="{rel}" href="{href}"/>' for rel, href in links if href is not None)
    return f"<entry><id>urn:uuid:1</id>{written}<title/><content>{content}</content></entry>"


def usage_point(meter="5446", base=BASE):
    content = '<UsagePoint xmlns="http://naesb.org/espi"><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint>'
    return entry(content, f"{base}/{meter}", base, [f"{base}/{meter}/MeterReading", "/LocalTimeParameters/1"])


def meter_reading(meter="5446", number="01", kind="7", base=BASE):
    own = f"{base}/{meter}/MeterReading/{number}"
    related = [f"{own}/IntervalBlock", f"/espi/1_1/resource/ReadingType/{kind}"]
    return entry('<MeterReading xmlns="http://naesb.org/espi"/>', own, f"{base}/{meter}/MeterReading", related)


def reading_type(kind="7", **facts):
    known = {
        "accumulationBehaviour": 4, "commodity": 1, "dataQualifier": 12, "flowDirection": 1, "intervalLength": 900,
        "kind": 12, "phase": 769, "powerOfTenMultiplier": 0, "timeAttribute": 0, "uom": 72,
    } | facts  # fmt: skip
    said = "".join(f"<{name}>{value}</{name}>" for name, value in known.items() if value is not None)
    return entry(
        f'<ReadingType xmlns="http://naesb.org/espi">{said}</ReadingType>',
        f"/espi/1_1/resource/ReadingType/{kind}",
        "/espi/1_1/resource/ReadingType",
    )


def block(*contents, meter="5446", number="01", day="0173", base=BASE):
    up = f"{base}/{meter}/MeterReading/{number}/IntervalBlock"
    interval = "<interval><duration>86400</duration><start>1614780000</start></interval>"
    written = (f'<IntervalBlock xmlns="http://naesb.org/espi">{interval}{each}</IntervalBlock>' for each in contents)
    return entry("".join(written), f"{up}/{day}", up)


def feed(*entries):
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<?xml-stylesheet type="text/xsl" href="GreenButtonDataStyleSheet.xslt"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:0</id><title>Green Button Usage Feed</title>'
        f"<updated>2021-03-05T00:00:00Z</updated>{''.join(entries)}</feed>\n"
    )
    return text.encode()


def usual(*contents, **facts):
    """A feed of one meter: its entries, and blocks with these contents."""
    return feed(usage_point(), meter_reading(), reading_type(**facts), *(block(each) for each in contents))
