"""Several workers: whichever is asked, /metrics has what each of them counts."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from pipeline.serving.measures import Measures
from pipeline.serving.siblings import Siblings


def worker(folder, number, of_the_lake=bytes):
    return Measures(of_the_lake, Siblings(folder, number))


def counted(measures):
    """(route, worker) -> requests."""
    return {
        (sample.labels["route"], sample.labels["worker"]): sample.value
        for family in text_string_to_metric_families(measures.text().decode())
        for sample in family.samples
        if sample.name == "meterlake_api_requests_total"
    }


def test_each_worker_tells_its_own_counts_now_and_those_of_the_others_as_they_left_them(tmp_path):
    one, two = worker(tmp_path, 1), worker(tmp_path, 2)
    one.requests.labels("/meters", "200").inc(3)
    assert counted(two) == {}
    assert counted(one) == counted(two) == {("/meters", "1"): 3}
    two.requests.labels("/meters", "200").inc()
    two.requests.labels("/files", "200").inc(2)
    assert counted(two) == {("/meters", "1"): 3, ("/meters", "2"): 1, ("/files", "2"): 2}


def test_each_family_stands_once_and_the_lake_s_measures_have_no_worker(tmp_path):
    lake = b"# HELP meterlake_files Deliveries\n# TYPE meterlake_files gauge\nmeterlake_files 7.0\n"
    one, two = worker(tmp_path, 1, lambda: lake), worker(tmp_path, 2)
    for each in (one, two):
        each.seconds.labels("/meters").observe(0.02)
        each.text()
    families = {family.name: family for family in text_string_to_metric_families(one.text().decode())}
    assert one.text().count(b"# TYPE meterlake_api_request_seconds histogram") == 1
    buckets = [s for s in families["meterlake_api_request_seconds"].samples if s.labels.get("le") == "0.025"]
    assert sorted((s.labels["worker"], s.value) for s in buckets) == [("1", 1), ("2", 1)]
    assert [s.labels for s in families["meterlake_files"].samples] == [{}]
    # Worker 2 was asked for no lake's measures that it could have: only the answering worker says whether it can read.
    assert [(s.labels, s.value) for s in families["meterlake_lake_readable"].samples] == [({}, 1)]


def test_a_worker_that_began_again_counts_from_none_and_does_not_change_the_others(tmp_path):
    one, two = worker(tmp_path, 1), worker(tmp_path, 2)
    for each in (one, two):
        each.requests.labels("/meters", "200").inc(5)
        each.text()
    assert counted(worker(tmp_path, 1)) == {("/meters", "2"): 5}


def test_one_process_alone_names_no_worker():
    alone = Measures()
    alone.requests.labels("/meters", "200").inc()
    assert b'meterlake_api_requests_total{route="/meters",status="200"} 1.0' in alone.text()
