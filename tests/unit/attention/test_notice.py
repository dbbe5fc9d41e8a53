"""What a notice says, and when one is due; nothing is sent."""

from __future__ import annotations

import json

from pipeline.attention import notice
from pipeline.attention.item import Item
from tests.written_lake import at

LATE = Item(
    "late", "gas", "No readings after 2026-11-27", "main.py files --feed gas", at("2026-11-29 00:00"), urgent=True
)
LOST = Item("lost_files", None, "gold.meter_day: 1 data file is missing")
SMALL = Item("small_files", None, "14 small files share a partition with others", "main.py maintain --dry-run")


def of(*items, told=()):
    return notice.of("/lake", items, told)


def told(*items):
    return [notice.digest(item) for item in items]


def test_a_notice_is_due_when_the_list_is_not_what_was_told():
    assert of(LATE)
    assert of(LATE, told=told(LATE)) is None
    assert of(LATE, LOST, told=told(LATE))
    assert of(LOST, told=told(LATE, LOST))
    assert of() is None
    assert of(told=told(LATE))


def test_small_files_are_no_news():
    assert of(SMALL) is None
    assert of(SMALL, LATE, told=told(LATE)) is None
    assert of(SMALL, LATE).items == [LATE]


def test_the_same_matter_in_other_words_is_another():
    other = Item("late", "gas", "No readings after 2026-11-28", LATE.command)
    assert of(other, told=told(LATE)).is_new(other)


def test_the_text_says_what_is_new_first_and_how_to_see_it():
    assert of(LATE, LOST, told=told(LATE)).text.splitlines() == [
        "Meterlake /lake: 2 matters need attention (1 new)",
        "new: gold.meter_day: 1 data file is missing",
        "gas: No readings after 2026-11-27 (main.py files --feed gas)",
    ]
    assert of(LOST, told=told(LATE, LOST)).text.splitlines() == [
        "Meterlake /lake: 1 matter needs attention (none new)",
        "gold.meter_day: 1 data file is missing",
    ]
    assert of(told=told(LATE)).text == "Meterlake /lake: nothing needs attention any more"


def test_slack_is_given_text_in_which_a_file_s_name_mentions_nobody():
    evil = Item("refused", "gas", "<!channel> & <http://x|y>.SMRT was refused")
    (name,) = notice.for_slack(of(evil))
    assert name == "text"
    assert "new: gas: &lt;!channel&gt; &amp; &lt;http://x|y&gt;.SMRT was refused" in notice.for_slack(of(evil))["text"]


def test_a_program_is_given_every_field():
    body = json.loads(json.dumps(notice.for_programs(of(LATE, LOST, told=told(LOST)))))
    assert body["lake"] == "/lake"
    assert body["items"] == [
        {
            "kind": "late",
            "feed": "gas",
            "text": "No readings after 2026-11-27",
            "command": "main.py files --feed gas",
            "since": "2026-11-29T00:00:00+00:00",
            "urgent": True,
            "new": True,
        },
        {
            "kind": "lost_files",
            "feed": None,
            "text": "gold.meter_day: 1 data file is missing",
            "command": None,
            "since": None,
            "urgent": False,
            "new": False,
        },
    ]


def test_a_mail_has_what_servers_ask_for_and_no_header_that_a_name_could_add():
    evil = Item("refused", "gas", "a\r\nBcc: x@example.org\r\n.SMRT was refused")
    mail = notice.for_mail(notice.of("/la\nke", [evil], []), "lake@example.org", ["a@example.org", "b@example.org"])
    assert {"Subject", "From", "To", "Date", "Message-ID"} <= set(mail.keys())
    assert mail["To"] == "a@example.org, b@example.org"
    assert "Bcc" not in mail
    assert "\nBcc" not in mail.get_content()
