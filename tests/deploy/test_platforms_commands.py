"""The commands of docs/platforms.md, as far as the vendors' own programs say without an account that they are right."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from tests.deploy.tools import DEPLOY, OF_NO_REGISTRY, ROOT, accepted, done, needs

pytestmark = pytest.mark.deploy
TEXT = (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8").replace("\\\n", "")
NAMES = {"P": "p1", "R": "europe-west2", "B": "b1", "A": "meterlake-production@p1.iam.gserviceaccount.com", "b": "b1"}


def commands(program):
    """Each whole command of the page that begins with the program, in its blocks and its sentences, with names filled in."""
    whole = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) + re.findall(
        r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    )
    parts = [part.strip() for text in whole for part in re.split(r"&&|;|\n|\|(?= )", text)]
    found = [part.removeprefix("do ") for part in parts if re.match(rf"(do )?{program} \S+ \S", part)]
    known = [re.sub(r"\$\(.*?\)", "x", each) for each in found]
    return sorted({re.sub(r"\$(\w+)", lambda name: NAMES[name[1]], each) for each in known})


def linted(folder, *lines):
    """What gcloud says of each command: (whether it knows all of it, why not)."""
    path = folder / "commands.json"
    path.write_text(json.dumps([{"command_string": line} for line in lines]))
    said = json.loads(accepted("gcloud", "meta", "lint-gcloud-commands", "--commands-file", path))
    return [(each["success"], each["error_message"]) for each in said]


@needs("gcloud", OF_NO_REGISTRY)
def test_gcloud_knows_each_of_its_commands_and_would_not_know_another(tmp_path):
    ours = commands("gcloud")
    assert len(ours) >= 10
    assert dict(zip(ours, linted(tmp_path, *ours), strict=True)) == dict.fromkeys(ours, (True, None))
    ((known, why),) = linted(tmp_path, "gcloud dataproc batches wait x --area europe-west2")
    assert not known
    assert "--area" in why


@needs("kubectl", OF_NO_REGISTRY)
def test_kubectl_takes_each_of_its_commands_as_far_as_it_can_without_a_cluster(tmp_path):
    """With an address at which nothing listens, a command that is right fails only when it asks for it."""
    ours = commands("kubectl")
    assert len(ours) >= 10
    (tmp_path / "data_lake/landing").mkdir(parents=True)
    (tmp_path / "conf").symlink_to(ROOT / "conf")
    no_server = ["--server", "http://127.0.0.1:9", "--request-timeout", "1s"]
    for line in [*ours, "kubectl get storageclass --colour"]:
        ended = done(
            *shlex.split(line),
            *no_server,
            cwd=tmp_path,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)},
        )
        if "--colour" in line:
            assert "unknown flag: --colour" in ended.stderr
        elif "kustomize" in line or "127.0.0.1:9" in ended.stderr:
            assert "unknown" not in ended.stderr, line
        else:
            pytest.fail(f"{line}: {ended.stdout}{ended.stderr}")
    for folder in re.findall(r"--kustomize (\S+)", TEXT):
        assert (ROOT / folder / "kustomization.yaml").is_file()
        assert DEPLOY in (ROOT / folder).parents
