"""`engine = "sail"` is for lakes on this machine; what it cannot do is a line of the configuration's."""

from __future__ import annotations

import pytest

from pipeline.config.settings import load
from pipeline.errors import ConfigurationError

FEED = '[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "gas"\n'
CHECK = '[[checks]]\nname = "none"\nsql = "SELECT 1"\nseverity = "error"\n'
REFUSED = {
    'catalog = "main"\n' + FEED: "a lake in a catalog",
    'lake = "s3a://bucket/lake"\n' + FEED: "a lake in an object store",
    FEED.replace('"gas"\n', '"gs://bucket/gas"\n').replace('name = "gs://bucket/gas"', 'name = "gas"'): "of feed gas",
    FEED + '[reference]\nurl = "jdbc:postgresql://db/crm"\nfeeds = ["gas"]\n': "no SQLite file",
    FEED + '[reference]\nurl = "jdbc:sqlite:s3a://bucket/crm.db"\nfeeds = ["gas"]\n': "no SQLite file",
    FEED + '[spark]\n"spark.driver.memory" = "2g"\n': "settings of Spark's",
    FEED + CHECK: "your own checks",
}


def loaded(folder, text):
    path = folder / "meterlake.toml"
    path.write_text(text)
    return load(path)


def test_spark_is_the_default(tmp_path):
    assert loaded(tmp_path, FEED).engine == "spark"
    assert not loaded(tmp_path, FEED).driver_reads


def test_a_lake_in_a_folder_may_have_sail(tmp_path):
    text = 'engine = "sail"\n' + FEED + '[reference]\nurl = "jdbc:sqlite:crm.db"\nfeeds = ["gas"]\n'
    assert loaded(tmp_path, text).driver_reads


@pytest.mark.parametrize("text", REFUSED)
def test_what_sail_cannot_do_is_refused_by_name(tmp_path, text):
    assert loaded(tmp_path, text).engine == "spark"
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, 'engine = "sail"\n' + text)
    said = str(refused.value)
    assert 'engine = "sail" is not for ' in said
    assert REFUSED[text] in said
    assert "\n" not in said
