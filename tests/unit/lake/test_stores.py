"""How Spark names a file, and which it reads without Hadoop's checksums: local ones, not those of a store or volume."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline.lake.stores import spark_name, sync_folder, unchecked


@pytest.mark.parametrize("path", ["/landing/day.json", "file:/landing/day.json", "file:///landing/day.json"])
def test_bytes_of_local_files_are_taken_as_they_lie_there(path):
    assert unchecked([path])["fs.file.impl"].endswith("RawLocalFileSystem")


@pytest.mark.parametrize(
    "path", ["s3a://meters/day.json", "gs://meters/day.json", "abfss://a@b.c/day.json", "dbfs:/Volumes/a/b/c/day.json"]
)
def test_files_of_a_store_are_read_without_options_of_local_ones(path):
    assert unchecked([path]) == {}


def test_spark_names_a_volume_by_a_scheme_of_its_own_on_databricks_only(monkeypatch):
    monkeypatch.delenv("DATABRICKS_RUNTIME_VERSION", raising=False)
    assert spark_name("/Volumes/a disk/day.json") == "file:/Volumes/a disk/day.json"
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    assert spark_name("/Volumes/main/raw/in/day.json") == "dbfs:/Volumes/main/raw/in/day.json"
    assert spark_name("/Volumes2/day.json") == "file:/Volumes2/day.json"
    assert spark_name("in/day.json") == f"file:{Path.cwd()}/in/day.json"
    assert spark_name("gs://bucket/Volumes/day.json") == "gs://bucket/Volumes/day.json"
    monkeypatch.chdir("/")
    assert spark_name("Volumes/main/raw/in/day.json") == "dbfs:/Volumes/main/raw/in/day.json"


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_folder_that_knows_no_sync_is_as_durable_as_it_can_be(monkeypatch, tmp_path, code):
    def refuse(_number):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    sync_folder(tmp_path)


def test_a_folder_whose_sync_fails_is_not_durable(monkeypatch, tmp_path):
    def fail(_number):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)
