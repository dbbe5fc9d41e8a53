"""Google's connector: numbers where Hadoop has units, and no vectored reads, unless someone said otherwise."""

from __future__ import annotations

from pipeline.runtime import google_connector

# core-default.xml of Hadoop 3.5.0.
HADOOP = {
    "fs.gs.block.size": "64m",
    "fs.gs.rewrite.max.chunk.size": "512m",
    "fs.gs.outputstream.buffer.size": "8m",
    "fs.gs.inputstream.inplace.seek.limit": "8m",
    "fs.gs.inputstream.min.range.request.size": "2m",
}
NOT_VECTORED = {"spark.hadoop.parquet.hadoop.vectored.io.enabled": "false"}


def test_hadoops_defaults_become_numbers_of_bytes():
    assert google_connector.settings({}.get, HADOOP.get) == NOT_VECTORED | {
        "spark.hadoop.fs.gs.block.size": "67108864",
        "spark.hadoop.fs.gs.rewrite.max.chunk.size": "536870912",
        "spark.hadoop.fs.gs.outputstream.buffer.size": "8388608",
        "spark.hadoop.fs.gs.inputstream.inplace.seek.limit": "8388608",
        "spark.hadoop.fs.gs.inputstream.min.range.request.size": "2097152",
    }


def test_a_hadoop_without_defaults_gets_no_sizes():
    assert google_connector.settings({}.get, {}.get) == NOT_VECTORED


def test_what_a_platform_or_the_configuration_says_stays():
    platform = dict.fromkeys(HADOOP, "134217728") | {"parquet.hadoop.vectored.io.enabled": "true"}
    assert google_connector.settings({}.get, platform.get) == {}
    chosen = {"spark.hadoop.fs.gs.block.size": "1048576", "spark.hadoop.parquet.hadoop.vectored.io.enabled": "true"}
    assert not chosen.keys() & google_connector.settings(chosen.get, HADOOP.get).keys()


def test_a_unit_in_the_configuration_becomes_a_number_too():
    chosen = {"spark.hadoop.fs.gs.block.size": "32M", "spark.hadoop.fs.gs.rewrite.max.chunk.size": "1gb"}
    assert google_connector.settings(chosen.get, {}.get) == NOT_VECTORED | {
        "spark.hadoop.fs.gs.block.size": "33554432",
        "spark.hadoop.fs.gs.rewrite.max.chunk.size": "1073741824",
    }
