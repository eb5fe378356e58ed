"""The keys of a team: what is accepted, and what no message ever says."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from nmt.config import load_config
from nmt.errors import ConfigError
from nmt.provenance.keys import PASSPHRASE_VARIABLE, public_keys, with_public_key_text
from nmt.provenance.signing import usable_private_key
from nmt.provenance.verification import verify_engine
from nmt.storage import Storage
from tests.support.runs.signed_run import KeyPair, leave_signed_run, make_keys


def test_a_private_key_may_have_a_passphrase(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = make_keys(tmp_path, "locked", passphrase=b"open sesame")
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "open sesame")
    verify_engine(storage, leave_signed_run(storage, keys), keys.public)


@pytest.mark.parametrize("given", [None, "abracadabra"])
def test_a_missing_or_wrong_passphrase_is_explained_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    keys = make_keys(tmp_path, "locked", passphrase=b"open sesame")
    if given:
        monkeypatch.setenv(PASSPHRASE_VARIABLE, given)
    config = load_config(overrides=[f"provenance.private_key={keys.private}"])
    with pytest.raises(ConfigError, match=PASSPHRASE_VARIABLE) as caught:
        usable_private_key(config)
    assert "sesame" not in str(caught.value)
    assert "abracadabra" not in str(caught.value)


@pytest.mark.parametrize("kind", ["ed25519", "secp256k1", "text", "missing", "folder"])
def test_a_private_key_that_cannot_sign_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    lock = serialization.NoEncryption()
    if kind == "ed25519":
        path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*form, lock))
    elif kind == "secp256k1":
        path.write_bytes(ec.generate_private_key(ec.SECP256K1()).private_bytes(*form, lock))
    elif kind == "text":
        path.write_text("geheim")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(ConfigError, match=rf"^provenance.private_key={path}: ") as caught:
        usable_private_key(load_config(overrides=[f"provenance.private_key={path}"]))
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["provenance.private_key", "serving.public_key"])
def test_the_text_of_a_private_key_is_refused_as_a_setting_and_not_quoted(
    keys: KeyPair, key: str
) -> None:
    text = keys.private.read_text()
    with pytest.raises(ConfigError, match="is the text of a private key") as caught:
        load_config(overrides=[f"{key}={text}"])
    assert text.splitlines()[1] not in str(caught.value)


def test_no_private_key_means_no_signature() -> None:
    assert usable_private_key(load_config()) is None


def test_a_public_key_is_a_text_a_folded_text_or_a_file(keys: KeyPair, tmp_path: Path) -> None:
    path = tmp_path / "team.pub"
    path.write_text(keys.public)
    folded = " ".join(keys.public.split("\n"))
    for setting in (keys.public, folded, str(path)):
        assert public_keys(setting) == (keys.public,)


def test_each_of_several_public_keys_is_accepted(
    storage: Storage, keys: KeyPair, tmp_path: Path
) -> None:
    newer = make_keys(tmp_path, "newer")
    both = newer.public + keys.public
    verify_engine(storage, leave_signed_run(storage, keys), both)
    verify_engine(storage, leave_signed_run(storage, newer, "next", weights=b"x"), both)


@pytest.mark.parametrize("content", ["", "text", "-----BEGIN CERTIFICATE-----\n-----END"])
def test_a_file_without_a_public_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "team.pub"
    path.write_text(content)
    with pytest.raises(ConfigError, match="holds no key that begins with"):
        public_keys(str(path))


def test_a_public_key_that_cannot_be_used_refuses_and_never_passes(
    storage: Storage, keys: KeyPair
) -> None:
    digest = leave_signed_run(storage, keys)
    broken = keys.public.replace("MFkw", "MFkx")
    for setting in (broken, "missing.pub"):
        with pytest.raises(ConfigError, match=r"^serving.public_key"):
            verify_engine(storage, digest, setting)


def test_an_empty_public_key_is_refused_and_does_not_turn_verification_off() -> None:
    with pytest.raises(ConfigError, match=r"serving\.public_key"):
        load_config(overrides=["serving.public_key="])


def test_replicas_get_the_text_of_the_key_since_the_file_may_change(
    keys: KeyPair, tmp_path: Path
) -> None:
    path = tmp_path / "team.pub"
    path.write_text(keys.public)
    serving = load_config(overrides=[f"serving.public_key={path}"]).serving
    assert with_public_key_text(serving).public_key == keys.public
    assert with_public_key_text(load_config().serving).public_key is None
