"""The command `nmt provenance`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nmt.provenance.verification import verify_engine
from nmt.runs import layout
from nmt.storage import Storage
from ray_jobs.cli import main
from tests.support.runs.signed_run import (
    RUN,
    KeyPair,
    leave_run,
    leave_signed_run,
    make_keys,
)
from tests.support.untouched_process import untouched  # noqa: F401 - a fixture of every test


@pytest.fixture
def root(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "root"))


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    return make_keys(tmp_path)


def provenance(root: Storage, *words: str) -> int:
    return main.main(["provenance", *words, f"storage={root.url}"])


def test_an_engine_is_signed_with_a_key_that_nothing_names_but_by_its_path(
    root: Storage, keys: KeyPair, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = leave_run(root)
    words = ["sign", f"run={RUN}", f"provenance.private_key={keys.private}"]
    assert provenance(root, *words) == 0
    assert f"engine {digest} of run {RUN} is signed" in capsys.readouterr().out
    assert provenance(root, *words) == 0
    assert "was already signed" in capsys.readouterr().out
    assert verify_engine(root, digest, keys.public).run == RUN
    secret = keys.private.read_text().splitlines()[1].encode()
    files = [path for path in Path(root.url).rglob("*") if path.is_file()]
    assert not [path for path in files if secret in path.read_bytes()]


def test_a_verified_engine_gets_one_line_and_exit_code_0(
    root: Storage, keys: KeyPair, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = leave_signed_run(root, keys)
    key = f"serving.public_key={keys.public}"
    for words in ([f"run={RUN}"], ["--engine", digest]):
        assert provenance(root, "verify", key, *words) == 0
        written = capsys.readouterr()
        assert written.out.startswith(f"engine {digest} of run {RUN} is as it was signed on 20")
        assert (written.out.count("\n"), written.err) == (1, "")


def test_an_engine_that_is_not_verified_gets_one_line_and_exit_code_1(
    root: Storage, keys: KeyPair, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = leave_signed_run(root, keys)
    root.write_bytes(f"{layout.engine(digest)}/model/more.bin", b"x")
    words = ["verify", f"run={RUN}", f"serving.public_key={keys.public}"]
    assert provenance(root, *words) == 1
    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
    assert "more.bin: was added" in written.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify"], "set serving.public_key=PATH"),
        (["sign"], "set provenance.private_key=PATH"),
        (["sigh"], "Did you mean 'sign'?"),
        ([], "is not an action"),
        (["verify", "one"], "takes no 'one'"),
        (["sign", "--engine", "aa"], "give run=NAME"),
        (["verify", "--engine", "../x"], "is hexadecimal"),
        (["verify", "--engine="], "is hexadecimal"),
    ],
)
def test_a_command_that_cannot_work_gets_one_line_and_exit_code_2(
    root: Storage, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    leave_run(root)
    assert provenance(root, f"run={RUN}", *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_record_is_shown_and_said_to_be_unverified_without_a_key(
    root: Storage, keys: KeyPair, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = leave_signed_run(root, keys)
    assert provenance(root, "show", f"run={RUN}") == 0
    written = capsys.readouterr()
    assert json.loads(written.out)["engine"] == digest
    assert "shown unverified" in written.err
    assert provenance(root, "show", f"run={RUN}", f"serving.public_key={keys.public}") == 0
    assert capsys.readouterr().err == ""


def test_a_record_is_not_shown_as_verified_if_the_engine_has_changed(
    root: Storage, keys: KeyPair
) -> None:
    digest = leave_signed_run(root, keys)
    root.write_bytes(f"{layout.engine(digest)}/model/more.bin", b"x")
    assert provenance(root, "show", f"run={RUN}", f"serving.public_key={keys.public}") == 1


def test_the_command_line_of_model_signing_verifies_the_signature(
    root: Storage, keys: KeyPair, tmp_path: Path
) -> None:
    digest = leave_signed_run(root, keys)
    (tmp_path / "team.pub").write_text(keys.public)
    words = [sys.executable, "-m", "model_signing", "verify", "key"]
    words += [root.locate(layout.engine(digest)), "--public_key", str(tmp_path / "team.pub")]
    words += ["--signature", root.locate(layout.provenance(digest))]
    assert subprocess.run(words, capture_output=True).returncode == 0
    Path(root.locate(f"{layout.engine(digest)}/model/model.bin")).write_bytes(b"x")
    assert subprocess.run(words, capture_output=True).returncode == 1


def test_only_who_signs_or_verifies_imports_model_signing() -> None:
    script = """
import sys
import k8s.cli.main, nmt.serving.replica, ray_jobs.cli.main, ray_jobs.provenance
print(*{"model_signing", "sigstore", "cryptography"} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")
