"""Which files Spark reads without Hadoop's checksums: local ones, whose options must not reach a store's client."""

from __future__ import annotations

import pytest

from pipeline.lake.stores import unchecked


@pytest.mark.parametrize("path", ["/landing/day.json", "file:/landing/day.json", "file:///landing/day.json"])
def test_bytes_of_local_files_are_taken_as_they_lie_there(path):
    assert unchecked([path])["fs.file.impl"].endswith("RawLocalFileSystem")


@pytest.mark.parametrize("path", ["s3a://meters/day.json", "gs://meters/day.json", "abfss://a@b.c/day.json"])
def test_files_of_a_store_are_read_without_options_of_local_ones(path):
    assert unchecked([path]) == {}
