"""The file of API keys: what it holds, and changes to it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nmt.access.keys import Key, Keys, hash_secret, make_secret, split_key
from nmt.access.listing import key_value, keys_table
from nmt.access.options import KeyCommand
from nmt.access.store import create_key, read_keys, revoke_key
from nmt.errors import InputError, StorageError
from nmt.storage import Storage

FILE = "serving/default/keys.json"
NOW = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
CREATE = """
import sys
from nmt.access.keys import make_secret
from nmt.access.options import KeyCommand
from nmt.access.store import create_key
from nmt.storage import Storage
storage = Storage(sys.argv[1])
for number in range(5):
    key_id, _, sha256 = make_secret()
    create_key(storage, "default", KeyCommand("create", f"{sys.argv[2]}-{number}"), key_id, sha256)
"""


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path))


def create(storage: Storage, name: str = "demo", **wanted: object) -> str:
    """Create a key and return its text."""
    key_id, text, sha256 = make_secret()
    command = KeyCommand("create", name, **wanted)  # pyright: ignore[reportArgumentType]
    create_key(storage, "default", command, key_id, sha256)
    return text


# Secrets


def test_a_key_is_long_random_text_with_its_id_in_front():
    texts = {make_secret()[1] for _ in range(100)}
    assert len(texts) == 100
    for text in texts:
        parts = split_key(text)
        assert parts
        assert text == f"nmt_{parts[0]}_{parts[1]}"
        assert len(parts[1]) == 43


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nmt",
        "nmt_01234567_",
        "nmt_0123456_" + "a" * 43,
        "nmt_0123456G_" + "a" * 43,
        "nmt_01234567_" + "a" * 44,
        "nmt_01234567_" + "a" * 43 + "\n",
        "xnmt_01234567_" + "a" * 43,
    ],
)
def test_other_texts_are_not_keys(text: str):
    assert split_key(text) is None


def test_the_file_has_the_hash_and_never_the_secret(storage: Storage):
    secret = create(storage).split("_", 2)[2]
    content = storage.read_bytes(FILE).decode()
    assert secret not in content
    assert json.loads(content)["keys"][0]["sha256"] == hash_secret(secret)
    assert read_keys(storage, "default").keys[0].has_secret(secret)
    assert not read_keys(storage, "default").keys[0].has_secret(secret + "x")


# Changes


def test_keys_are_added_one_after_the_other(storage: Storage):
    create(storage, "first")
    create(
        storage,
        "second",
        scopes=("feedback", "admin"),
        requests_per_minute=5,
        characters_per_minute=600,
        expires_days=7,
    )
    first, second = read_keys(storage, "default").keys
    assert (first.name, first.scopes, first.expires) == ("first", ("translate",), None)
    assert (second.name, second.scopes) == ("second", ("feedback", "admin"))
    assert (second.requests_per_minute, second.characters_per_minute) == (5, 600)
    assert second.expires == second.created + timedelta(days=7)


def test_each_endpoint_has_keys_of_its_own(storage: Storage):
    create(storage)
    assert read_keys(storage, "tamil") == Keys()


def test_a_revoked_key_stays_in_the_file_with_the_time(storage: Storage):
    key_id = create(storage).split("_")[1]
    revoked = revoke_key(storage, "default", key_id)
    assert revoked.revoked
    assert revoke_key(storage, "default", key_id) == revoked
    assert read_keys(storage, "default").find(key_id) == revoked


def test_an_unknown_key_cannot_be_revoked_and_the_known_ones_are_listed(storage: Storage):
    key_id = create(storage, "website").split("_")[1]
    with pytest.raises(InputError, match=rf"no key with the id 123; keys: {key_id} \(website\)"):
        revoke_key(storage, "default", "123")


def test_two_keys_never_have_the_same_id(storage: Storage):
    key_id = create(storage).split("_")[1]
    with pytest.raises(InputError, match="there is a key with the id"):
        create_key(storage, "default", KeyCommand("create", "b"), key_id, "0" * 64)


def test_commands_at_the_same_time_lose_no_key(storage: Storage):
    command = [sys.executable, "-c", CREATE, storage.locate("")]
    processes = [subprocess.Popen([*command, name]) for name in "abc"]
    assert [process.wait() for process in processes] == [0] * 3
    names = sorted(key.name for key in read_keys(storage, "default").keys)
    assert names == [f"{name}-{number}" for name in "abc" for number in range(5)]


def test_a_dry_run_writes_nothing(storage: Storage):
    key = create_key(
        storage, "default", KeyCommand("create", "a"), "01234567", "0" * 64, dry_run=True
    )
    assert key.id == "01234567"
    assert not storage.exists(FILE)


def test_fields_of_a_later_release_are_kept(storage: Storage):
    create(storage, "first")
    content = storage.read_json(FILE)
    content["later"] = 1
    content["keys"][0]["color"] = "red"
    storage.write_json(FILE, content)
    revoke_key(storage, "default", create(storage, "second").split("_")[1])
    after = storage.read_json(FILE)
    assert (after["later"], after["keys"][0]["color"]) == (1, "red")


# Damage


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[]", "damaged"),
        (b'{"version": 9}', "is of version 9, and this release reads up to version 1"),
        (b'{"keys": [{"id": "01234567"}]}', "keys.0.name"),
    ],
)
def test_a_damaged_file_is_refused_and_never_overwritten(
    storage: Storage, content: bytes, problem: str
):
    storage.write_bytes(FILE, content)
    for attempt in (
        lambda: read_keys(storage, "default"),
        lambda: create(storage),
        lambda: revoke_key(storage, "default", "01234567"),
    ):
        with pytest.raises(StorageError, match=problem) as refused:
            attempt()
        assert FILE in str(refused.value)
    assert storage.read_bytes(FILE) == content


def test_a_file_with_one_id_twice_is_damaged(storage: Storage):
    create(storage)
    content = storage.read_json(FILE)
    storage.write_json(FILE, {**content, "keys": content["keys"] * 2})
    with pytest.raises(StorageError, match="two keys have the same id"):
        read_keys(storage, "default")


# What is shown


def key(**fields: object) -> Key:
    values = {"id": "01234567", "name": "ci", "scopes": ("translate",), "sha256": "0" * 64}
    return Key.model_validate({**values, "created": NOW, **fields})


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "active"),
        ({"expires": NOW + timedelta(seconds=1)}, "active"),
        ({"expires": NOW}, "expired"),
        ({"revoked": NOW}, "revoked"),
        ({"revoked": NOW, "expires": NOW}, "revoked"),
    ],
)
def test_the_state_of_a_key(fields: dict[str, object], state: str):
    assert key(**fields).state(NOW) == state


def test_the_table_shows_limits_and_state():
    shown = keys_table([key(), key(id="89abcdef", requests_per_minute=5, revoked=NOW)], NOW)
    assert [line.split() for line in shown.splitlines()] == [
        ["ID", "NAME", "SCOPES", "REQUESTS/MIN", "CHARACTERS/MIN", "CREATED", "EXPIRES", "STATE"],
        ["01234567", "ci", "translate", "-", "-", "2026-11-26", "never", "active"],
        ["89abcdef", "ci", "translate", "5", "-", "2026-11-26", "never", "revoked"],
    ]


def test_programs_get_every_field_but_the_hash():
    assert key_value(key(), NOW) == {
        "id": "01234567",
        "name": "ci",
        "scopes": ["translate"],
        "created": "2026-11-26T18:00:00Z",
        "state": "active",
    }
