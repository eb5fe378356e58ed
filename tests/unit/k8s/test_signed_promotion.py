"""`nmt-k8s promote` at an endpoint that has a public key."""

import json
from pathlib import Path
from typing import Any

import pytest

from k8s.cli.options import parse
from nmt.config import load_config
from nmt.storage import Storage
from tests.support.runs.signed_run import RUN, KeyPair, leave_run, leave_signed_run, make_keys
from tests.unit.k8s.conftest import install


@pytest.fixture
def root(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "root"))


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    return make_keys(tmp_path)


def test_the_key_of_the_release_reaches_the_pod_as_text(
    nmt_k8s: Any, cluster: Any, keys: KeyPair, capsys: pytest.CaptureFixture[str]
) -> None:
    install(cluster, config={"serving": {"public_key": keys.public}})
    assert nmt_k8s("promote", f"run={RUN}", "--dry-run", "-o", "json") == 0
    [job] = json.loads(capsys.readouterr().out)["items"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    options = parse(container["args"])
    assert load_config(overrides=options.overrides).serving.public_key == keys.public


def test_a_file_with_the_key_is_read_on_the_machine_of_the_user(
    nmt_k8s: Any, cluster: Any, keys: KeyPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "team.pub").write_text(keys.public)
    words = [f"run={RUN}", f"serving.public_key={tmp_path / 'team.pub'}"]
    assert nmt_k8s("promote", *words, "--dry-run", "-o", "json") == 0
    [job] = json.loads(capsys.readouterr().out)["items"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert f"serving.public_key={keys.public}" in container["args"]


def test_a_key_that_is_missing_starts_no_pod(
    nmt_k8s: Any, cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    install(cluster, config={"serving": {"public_key": "missing.pub"}})
    assert nmt_k8s("promote", f"run={RUN}") == 2
    assert "serving.public_key=missing.pub: No such file" in capsys.readouterr().err


def test_an_engine_that_is_not_signed_is_refused_beside_the_storage(
    nmt_k8s: Any, root: Storage, keys: KeyPair, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"serving.public_key={keys.public}", "--storage", root.url]
    leave_signed_run(root, keys)
    leave_run(root, "unsigned", weights=b"x")
    assert nmt_k8s("promote", f"run={RUN}", *words) == 0
    assert nmt_k8s("promote", "run=unsigned", *words) == 1
    assert "is not signed" in capsys.readouterr().err
