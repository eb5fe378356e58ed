"""The command `nmt-k8s keys`: the secret of a key never leaves this machine."""

import json
import re

import pytest

from k8s.api.cluster import BATCH_JOB
from k8s.cli.storage_commands import StorageCommand
from nmt.access.keys import hash_secret, split_key
from nmt.access.options import KeyCommand
from nmt.access.store import read_keys
from nmt.storage import Storage
from tests.unit.k8s.conftest import install


@pytest.fixture
def root(tmp_path) -> Storage:
    return Storage(str(tmp_path / "root"))


@pytest.fixture
def on_root(nmt_k8s, root):
    """Run a command on a storage root without a cluster."""
    return lambda *words: nmt_k8s("keys", *words, "--storage", root.url)


def test_a_new_key_is_alone_on_standard_output(on_root, root, capsys):
    assert on_root("create", "website") == 0
    written = capsys.readouterr()
    parts = split_key(written.out.strip())
    assert parts
    [key] = read_keys(root, "default").keys
    assert (key.id, key.sha256) == (parts[0], hash_secret(parts[1]))
    assert f"API key {key.id} 'website'" in written.err


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_programs_get_the_key_with_its_fields(on_root, capsys, form):
    assert on_root("create", "website", "--scope", "admin", "-o", form) == 0
    written = capsys.readouterr().out
    assert re.search(r"nmt_[0-9a-f]{8}_", written)
    if form == "json":
        value = json.loads(written)
        assert (value["name"], value["scopes"]) == ("website", ["admin"])


def test_keys_are_listed_and_revoked(on_root, root, capsys):
    on_root("create", "website")
    key_id = capsys.readouterr().out.split("_")[1]
    assert on_root("revoke", key_id) == 0
    assert f"key {key_id} 'website' is revoked" in capsys.readouterr().out
    assert on_root("list", "-o", "json") == 0
    [shown] = json.loads(capsys.readouterr().out)
    assert (shown["id"], shown["state"]) == (key_id, "revoked")
    assert "sha256" not in shown


@pytest.mark.parametrize("words", [["create", "a"], ["revoke", "01234567"]])
def test_a_dry_run_shows_no_key_and_writes_nothing(on_root, root, capsys, words):
    on_root(*words, "--dry-run")
    assert "nmt_" not in capsys.readouterr().out
    assert not root.exists("serving/default/keys.json")


def test_the_job_is_given_the_hash_and_never_the_key(nmt_k8s, cluster, storage_pod, capsys):
    created: list[object] = []
    create = cluster.create
    cluster.create = lambda body: (created.append(body), create(body))[1]
    storage_pod(0, "key 01234567 'website' is created")
    assert nmt_k8s("keys", "create", "website", "--requests-per-minute", "9") == 0
    written = capsys.readouterr()
    parts = split_key(written.out.strip())
    assert parts
    body = json.dumps(created)
    assert f"--hashed={parts[0]}:{hash_secret(parts[1])}" in body
    assert "--requests-per-minute=9" in body
    assert parts[1] not in body
    # The answer of the Pod is left out: it has no key.
    assert "01234567" not in written.out + written.err
    assert cluster.names(BATCH_JOB) == []


def test_a_job_that_fails_shows_its_error_and_no_key(nmt_k8s, storage_pod, capsys):
    storage_pod(2, "nmt-k8s: not a file of API keys", phase="Failed")
    assert nmt_k8s("keys", "create", "website") == 2
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "nmt-k8s: not a file of API keys\n")


def test_after_a_job_whose_end_is_unknown_the_user_is_told_what_to_revoke(
    nmt_k8s, cluster, storage_pod, capsys
):
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}}
    container = {"name": "main", "image": "registry.example/nmt-tools:1", "state": waiting}
    storage_pod(0, phase="Pending", containerStatuses=[container])
    assert nmt_k8s("keys", "create", "website") == 3
    written = capsys.readouterr()
    assert written.out == ""
    assert re.search(r"if `nmt-k8s keys list` shows the key [0-9a-f]{8}, revoke it", written.err)


def test_the_list_of_a_release_comes_from_its_pod(nmt_k8s, storage_pod, capsys):
    storage_pod(0, "ID  NAME")
    assert nmt_k8s("keys", "list") == 0
    assert capsys.readouterr().out == "ID  NAME\n"


def test_the_pod_is_given_the_endpoint_of_the_release(nmt_k8s, cluster, capsys):
    install(cluster, config={"serving": {"name": "tamil"}})
    assert nmt_k8s("keys", "create", "ci", "--scope=admin", "--dry-run", "-o", "json") == 0
    [job] = json.loads(capsys.readouterr().out)["items"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    name, endpoint, action, operand, scope, hashed, *_ = container["args"]
    assert [name, action, operand, scope] == ["keys", "create", "ci", "--scope=admin"]
    assert hashed.startswith("--hashed=")
    assert endpoint == "serving.name=tamil"


def test_a_command_can_parse_the_arguments_that_it_passes_on(on_root, root, capsys):
    wanted = KeyCommand(
        "create",
        "my site",
        ("translate", "admin"),
        requests_per_minute=3,
        characters_per_minute=40,
        expires_days=5,
        hashed="01234567:" + "0" * 64,
    )
    command = StorageCommand("keys", endpoint="tamil", keys=wanted)
    name, *words = command.arguments(root.url, "text")[:-2]
    assert name == "keys"
    assert on_root(*words) == 0
    [key] = read_keys(root, "tamil").keys
    assert (key.id, key.name, key.scopes) == ("01234567", "my site", ("translate", "admin"))
    assert (key.requests_per_minute, key.characters_per_minute) == (3, 40)
    assert key.expires
    assert "nmt_" not in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["creat", "a"], ["create"], ["revoke"], ["list", "a"]])
def test_a_bad_command_line_starts_no_pod(nmt_k8s, cluster, capsys, words):
    assert nmt_k8s("keys", *words) == 2
    assert "nmt-k8s: keys" in capsys.readouterr().err
    assert cluster.names(BATCH_JOB) == []
