"""The Kubernetes manifests: built by kubectl, against the API's schemas, by a linter; and their probes by a real server."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

import main
from tests.deploy.tools import DEPLOY, OF_NO_REGISTRY, ROOT, TOOLS, accepted, asked, done, environment, needs, tool

FOLDER = DEPLOY / "kubernetes"
READ = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"

pytestmark = [
    pytest.mark.deploy,
    needs("kubectl", OF_NO_REGISTRY),
]


@pytest.fixture(scope="module", params=["base", "read-write-once", "base with its ingress"])
def manifest(request, tmp_path_factory):
    """What `kubectl apply --kustomize` would send, of each variant."""
    folder = tmp_path_factory.mktemp("kubernetes")
    shutil.copytree(FOLDER, folder / "here")
    variant, *ingress = request.param.split(" with its ")
    if ingress:
        kustomization = folder / "here/base/kustomization.yaml"
        kustomization.write_text(kustomization.read_text().replace("# - ingress.yaml", "- ingress.yaml"))
    path = folder / "all.yaml"
    path.write_text(accepted("kubectl", "kustomize", folder / "here" / variant))
    return path


def named(manifest):
    """Kind/name -> the object; a hash at the end of a name is left out."""
    found = {f"{each['kind']}/{each['metadata']['name']}": each for each in asked(READ, manifest)}
    (configuration,) = [name for name in found if name.startswith("ConfigMap/")]
    return found | {"ConfigMap/meterlake": found.pop(configuration)}


@pytest.fixture(scope="module")
def objects(manifest):
    return named(manifest)


def pods(objects):
    """Name -> the pod's template of everything that starts pods."""
    found = {name: each["spec"] for name, each in objects.items() if name.startswith(("CronJob/", "Deployment/"))}
    return {
        name: (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]
        for name, spec in found.items()
    }


@pytest.mark.parametrize("release", ["1.31", "1.37"])
def test_each_object_is_of_the_apis_schema_and_a_wrong_one_would_not_be(manifest, tmp_path, release):
    check = [tool("kubernetes-validate"), "--strict", "--kubernetes-version", release]
    accepted(*check, manifest)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(manifest.read_text().replace("timeZone:", "timezone:"))
    ended = done(*check, wrong)
    assert ended.returncode != 0
    assert "timezone" in ended.stdout + ended.stderr


@needs("go", "kube-score is built with it", unless=(TOOLS / "kube-score").is_file())
def test_the_linter_warns_of_nothing_and_would_have(manifest, tmp_path):
    check = [tool("kube-score"), "score", "--ignore-container-cpu-limit", "--exit-one-on-warning"]
    if "ReadWriteOnce" in manifest.read_text():
        # Two pods on the volume's node would keep it from being drained: the budget asks for one elsewhere.
        check += ["--ignore-test", "deployment-replicas", "--ignore-test", "deployment-strategy"]
    accepted(*check, manifest)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(manifest.read_text().replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"))
    assert done(*check, wrong).returncode == 1


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory):
    """The pod by which deliveries are copied in, as `kubectl apply --kustomize` would send it."""
    path = tmp_path_factory.mktemp("deliveries") / "pod.yaml"
    path.write_text(accepted("kubectl", "kustomize", FOLDER / "deliveries"))
    return path


@pytest.mark.parametrize("release", ["1.31", "1.37"])
def test_the_pod_for_deliveries_is_of_the_schema_and_of_the_linter(deliveries, release):
    accepted(tool("kubernetes-validate"), "--strict", "--kubernetes-version", release, deliveries)
    if shutil.which("go") or (TOOLS / "kube-score").is_file():
        # Its network policy is the base's, which selects it by its label (below).
        told = ["--ignore-container-cpu-limit", "--ignore-test", "pod-networkpolicy", "--exit-one-on-warning"]
        accepted(tool("kube-score"), "score", *told, deliveries)


def test_the_pod_for_deliveries_writes_where_the_feeds_look_as_the_jobs_do_and_answers_no_request(objects, deliveries):
    (pod,) = asked(READ, deliveries)
    job = pods(objects)["CronJob/meterlake-run"]["spec"]
    mine, (container,), (its,) = pod["spec"], pod["spec"]["containers"], job["containers"]
    assert mine["securityContext"] == job["securityContext"]
    assert container["image"] == its["image"]
    assert [each for each in job["volumes"] if each["name"] == "lake"] == mine["volumes"]
    (mount,) = container["volumeMounts"]
    assert mount in its["volumeMounts"]
    feeds = tomllib.loads(objects["ConfigMap/meterlake"]["data"]["meterlake.toml"])["feeds"]
    assert all(feed["path"].startswith(f"{mount['mountPath']}/landing/") for feed in feeds)
    labels = pod["metadata"]["labels"]
    assert objects["NetworkPolicy/meterlake"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert not objects["Service/meterlake-api"]["spec"]["selector"].items() <= labels.items()
    (near,) = mine["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    api = pods(objects)["Deployment/meterlake-api"]["metadata"]["labels"]
    assert near["labelSelector"]["matchLabels"].items() <= api.items()


def test_runs_are_at_their_hour_in_london_one_at_a_time_and_never_tried_twice(objects, tmp_path):
    for verb, schedule in (("run", "0 8 * * *"), ("maintain", "0 3 * * 0"), ("verify", "0 4 * * *")):
        job = objects[f"CronJob/meterlake-{verb}"]["spec"]
        assert (job["schedule"], job["timeZone"], job["concurrencyPolicy"]) == (schedule, "Europe/London", "Forbid")
        assert job["jobTemplate"]["spec"]["backoffLimit"] == 0
        (container,) = job["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        assert container["args"][0] == verb
        ended = CliRunner().invoke(main.app, [*container["args"], "--config", str(tmp_path / "none.toml")])
        assert ended.exit_code == 2
        assert "no such file" in ended.output


def test_pods_are_what_the_image_makes_and_what_selects_them_finds_them(objects):
    dockerfile = (DEPLOY / "container/Dockerfile").read_text()
    user = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    config = re.search(r"^ENV METERLAKE_CONFIG=(.*)/meterlake.toml$", dockerfile, re.MULTILINE)[1]
    assert len(pods(objects)) == 4
    for name, pod in pods(objects).items():
        security = pod["spec"]["securityContext"]
        assert (security["runAsUser"], security["runAsGroup"]) == (int(user[1]), int(user[2])), name
        (container,) = pod["spec"]["containers"]
        places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert places == {"lake": "/var/lib/meterlake", "configuration": config, "tmp": "/tmp"}  # noqa: S108 - a mount
        assert (
            objects["NetworkPolicy/meterlake"]["spec"]["podSelector"]["matchLabels"].items()
            <= pod["metadata"]["labels"].items()
        )
    labels = pods(objects)["Deployment/meterlake-api"]["metadata"]["labels"]
    for selector in (
        objects["Service/meterlake-api"]["spec"]["selector"],
        objects["Deployment/meterlake-api"]["spec"]["selector"]["matchLabels"],
        objects["PodDisruptionBudget/meterlake-api"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    jobs = [pod["metadata"]["labels"] for name, pod in pods(objects).items() if name.startswith("CronJob/")]
    assert not [each for each in jobs if objects["Service/meterlake-api"]["spec"]["selector"].items() <= each.items()]


def test_another_configuration_is_another_map_which_all_pods_name(objects, tmp_path):
    name = objects["ConfigMap/meterlake"]["metadata"]["name"]
    for pod in pods(objects).values():
        (volume,) = [each for each in pod["spec"]["volumes"] if each["name"] == "configuration"]
        assert volume["configMap"]["name"] == name
    shutil.copytree(FOLDER, tmp_path / "here")
    with (tmp_path / "here/base/meterlake.toml").open("a") as file:
        file.write("time_zone = 'Europe/London'\n")
    changed = tmp_path / "all.yaml"
    changed.write_text(accepted("kubectl", "kustomize", tmp_path / "here/base"))
    assert named(changed)["ConfigMap/meterlake"]["metadata"]["name"] != name


def test_a_volume_of_one_node_has_its_pods_there_and_one_of_many_nodes_need_not(objects):
    modes = objects["PersistentVolumeClaim/meterlake"]["spec"]["accessModes"]
    api = objects["Deployment/meterlake-api"]["spec"]
    jobs = [pod for name, pod in pods(objects).items() if name.startswith("CronJob/")]
    budget = objects["PodDisruptionBudget/meterlake-api"]["spec"]
    if modes == ["ReadWriteMany"]:
        assert api["replicas"] == 2
        assert budget["minAvailable"] == 1
        assert not [pod for pod in jobs if "affinity" in pod["spec"]]
    else:
        assert modes == ["ReadWriteOnce"]
        assert (api["replicas"], api["strategy"], budget["maxUnavailable"]) == (1, {"type": "Recreate"}, 1)
        labels = api["template"]["metadata"]["labels"]
        for pod in jobs:
            (term,) = pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            assert term["topologyKey"] == "kubernetes.io/hostname"
            assert term["labelSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("manifest", ["base with its ingress"], indirect=True)
def test_an_ingress_leads_to_the_api_by_tls_only_and_the_policies_let_its_controller_in(objects):
    ingress = objects["Ingress/meterlake-api"]["spec"]
    (rule,) = ingress["rules"]
    (tls,) = ingress["tls"]
    assert tls["hosts"] == [rule["host"]]
    (path,) = rule["http"]["paths"]
    service = objects["Service/meterlake-api"]
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    policy = objects["NetworkPolicy/meterlake-ingress"]["spec"]
    labels = pods(objects)["Deployment/meterlake-api"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()


def answer(url, **headers):
    try:
        with urlopen(Request(url, headers=headers), timeout=30) as got:
            return got.status
    except HTTPError as refused:
        return refused.code


@pytest.mark.parametrize("lake", ["demo", "none yet"])
def test_the_probes_are_answered_by_a_server_with_this_configuration(objects, demo, tmp_path, lake):
    text = objects["ConfigMap/meterlake"]["data"]["meterlake.toml"]
    where = demo.parent / "data_lake" if lake == "demo" else tmp_path / "lake"
    config = tmp_path / "meterlake.toml"
    config.write_text(text.replace("/var/lib/meterlake/lake", str(where)))
    (container,) = pods(objects)["Deployment/meterlake-api"]["spec"]["containers"]
    assert [port["containerPort"] for port in container["ports"]] == [tomllib.loads(text)["api"]["port"]]
    token = {each["name"]: "secret" for each in container["env"]}
    variables = environment(METERLAKE_CONFIG=str(config), **token)
    # On loopback and any port that is free; in a pod it is the configuration's.
    here = ["--host", "127.0.0.1", "--port", "0"]
    command = [sys.executable, str(ROOT / "main.py"), *container["args"], *here]
    server = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())[0]
        paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
        got = {kind: answer(address + path) for kind, path in paths.items()}
        assert got == {"startup": 200, "liveness": 200, "readiness": 200 if lake == "demo" else 503}
        assert answer(address + "/meters") == 401
        if lake == "demo":
            assert answer(address + "/meters", Authorization="Bearer secret") == 200
    finally:
        server.terminate()
        server.communicate(timeout=30)
