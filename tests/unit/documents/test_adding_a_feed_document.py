"""docs/adding-a-feed.md: its entry is a feed, and it names every key of a csv table."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.config.csv_columns import Csv
from pipeline.config.feeds import Feed

PAGE = (Path(__file__).parents[3] / "docs" / "adding-a-feed.md").read_text()


def test_the_entry_of_the_page_is_a_feed():
    (entry,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (values,) = tomllib.loads(entry)["feeds"]
    feed = Feed(**values)
    assert (feed.csv.label, feed.csv.timestamp) == ("end", ("Read Date", "Read Time"))


def test_the_table_has_every_key_and_its_default():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|([^|]*)\|", PAGE.split("## A new format")[0], re.MULTILINE)
    named = [key for keys, _ in rows for key in re.findall(r"\w+", keys)]
    assert sorted(named) == sorted(Csv.model_fields)
    said = {key: default.strip() for keys, default in rows for key in re.findall(r"\w+", keys)}
    assert tomllib.loads(f"given = {said['missing'].strip('`')}")["given"] == list(Csv.model_fields["missing"].default)
    assert said["timestamp"] == '`"timestamp"`'
    assert said["value"] == '`"value"`'
