"""The command `nmt keys`."""

import re
from pathlib import Path

import pytest

from nmt.access.keys import hash_secret
from nmt.access.options import KeyCommand
from nmt.access.store import read_keys
from nmt.errors import InputError
from nmt.storage import Storage
from ray_jobs.cli import main
from tests.support.untouched_process import untouched  # noqa: F401 - a fixture of every test


@pytest.fixture
def root(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path))


def keys(root: Storage, *words: str) -> int:
    try:
        return main.main(["keys", *words, f"storage={root.url}"])
    except SystemExit as left:
        return int(left.code or 0)


def test_a_new_key_is_alone_on_standard_output(root, capsys):
    assert keys(root, "create", "my website") == 0
    written = capsys.readouterr()
    assert re.fullmatch(r"nmt_[0-9a-f]{8}_[\w-]{43}\n", written.out)
    [key] = read_keys(root, "default").keys
    assert key.sha256 == hash_secret(written.out.strip().split("_", 2)[2])
    assert f"API key {key.id} 'my website' of endpoint 'default' (translate)" in written.err
    assert written.out.strip() not in written.err


def test_options_may_be_before_and_after_the_name(root):
    words = ["--scope", "admin", "create", "ops", "--scope=translate", "--expires", "30"]
    limits = ["--requests-per-minute", "60", "--characters-per-minute", "5000"]
    assert keys(root, *words, *limits, "serving.name=tamil") == 0
    [key] = read_keys(root, "tamil").keys
    assert key.scopes == ("translate", "admin")
    assert (key.requests_per_minute, key.characters_per_minute) == (60, 5000)
    assert key.expires


def test_a_list_shows_ids_and_no_secret(root, capsys):
    keys(root, "create", "first")
    text = capsys.readouterr().out.strip()
    assert keys(root, "list") == 0
    shown = capsys.readouterr().out
    assert text.split("_")[1] in shown
    assert text.split("_", 2)[2] not in shown
    assert "active" in shown


def test_an_endpoint_without_keys_says_so(root, capsys):
    assert keys(root, "list") == 0
    assert capsys.readouterr().out == "endpoint 'default' has no API keys\n"


def test_a_key_is_revoked_by_its_id(root, capsys):
    keys(root, "create", "first")
    key_id = capsys.readouterr().out.split("_")[1]
    assert keys(root, "revoke", key_id) == 0
    assert capsys.readouterr().out == f"key {key_id} 'first' is revoked\n"
    keys(root, "list")
    assert "revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "give create NAME or list or revoke ID"),
        (["creat", "a"], "'creat' is not an action: choose one of create, list, revoke. Did you"),
        (["create"], "give it a NAME"),
        (["create", "  "], "give it a NAME"),
        (["create", "a", "b"], "give one word, not 2"),
        (["create", "a\nb"], "all of them printable"),
        (["create", "a" * 65], "at most 64 characters"),
        (["create", "a", "--requests-per-minute", "0"], "--requests-per-minute 0: must be at"),
        (["create", "a", "--characters-per-minute=-1"], "--characters-per-minute -1: must be at"),
        (["create", "a", "--expires", "0"], "--expires 0: must be at least 1"),
        (["create", "a", "--expires", "99999999"], "must be at most 36500 days"),
        (["create", "a", "--scope", "all"], "invalid choice: 'all'"),
        (["create", "a", "--hashed=01234567:0"], "unrecognized arguments: --hashed"),
        (["list", "a"], "takes no 'a'"),
        (["list", "--scope", "admin"], "--scope is an option of `keys create`, not of `list`"),
        (["revoke"], "give its ID"),
        (["revoke", "1", "--expires", "3"], "--expires is an option of `keys create`, not of"),
        (["revoke", "1"], "has no key with the id 1; keys: none"),
        (["list", "no.such=1"], "no: unknown key"),
    ],
)  # fmt: skip
def test_a_command_line_that_makes_no_sense_is_2_and_writes_nothing(root, capsys, words, problem):
    assert keys(root, *words) == 2
    assert problem in capsys.readouterr().err
    assert not root.exists("serving/default/keys.json")


def test_a_key_is_not_created_in_a_ray_job_whose_log_would_keep_it(root, capsys, monkeypatch):
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert keys(root, "create", "a") == 2
    written = capsys.readouterr()
    assert "Ray would keep the key in a job's log" in written.err
    assert "nmt_" not in written.out


@pytest.mark.parametrize("hashed", ["x", "0123456:" + "0" * 64, "01234567:" + "0" * 63])
def test_a_hash_of_another_form_is_refused(hashed):
    with pytest.raises(InputError, match="must be ID:SHA256"):
        KeyCommand("create", "a", hashed=hashed).check()
