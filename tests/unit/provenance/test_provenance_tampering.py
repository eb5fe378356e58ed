"""Every change to an engine, its record or its signature is refused by whoever has the key."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmt.errors import NmtError, SignatureError, StorageError
from nmt.provenance.verification import signed_engine, verify_engine
from nmt.runs import layout
from nmt.storage import Storage
from nmt.storage.manifest import build_manifest
from tests.support.runs.signed_run import KeyPair, leave_run, leave_signed_run, make_keys


def engine_folder(storage: Storage, digest: str) -> Path:
    return Path(storage.locate(layout.engine(digest)))


def rewrite_manifest(storage: Storage, digest: str) -> None:
    """Describe the changed files, as somebody does who knows the format."""
    folder = engine_folder(storage, digest)
    manifest = build_manifest(folder, {"run": "mine"})
    (folder / "manifest.json").write_text(json.dumps(manifest))


def change_bundle(
    storage: Storage, digest: str, change: Callable[[dict[str, Any]], object]
) -> None:
    path = layout.provenance(digest)
    content = storage.read_json(path)
    change(content)
    storage.write_json(path, content)


def change_payload(
    storage: Storage, digest: str, change: Callable[[dict[str, Any]], object]
) -> None:
    def change_inside(bundle: dict[str, Any]) -> None:
        payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        change(payload)
        text = json.dumps(payload).encode()
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(text).decode()

    change_bundle(storage, digest, change_inside)


def load(storage: Storage, digest: str, key: str) -> dict[str, bytes]:
    """Read the files that a replica would load."""
    with signed_engine(storage, digest, key) as folder:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }


def refused_by_all(storage: Storage, digest: str, key: str, message: str) -> None:
    for use in (verify_engine, load):
        with pytest.raises(SignatureError, match=message):
            use(storage, digest, key)


@pytest.fixture
def digest(storage: Storage, keys: KeyPair) -> str:
    return leave_signed_run(storage, keys)


def test_a_signed_engine_is_verified_and_loaded(
    storage: Storage, keys: KeyPair, digest: str
) -> None:
    assert verify_engine(storage, digest, keys.public).engine == digest
    assert load(storage, digest, keys.public)["model/model.bin"] == b"weights"


def test_an_engine_without_a_signature_is_refused(storage: Storage, keys: KeyPair) -> None:
    refused_by_all(storage, leave_run(storage), keys.public, "is not signed: there is no")


def test_a_signature_that_was_removed_is_missed(
    storage: Storage, keys: KeyPair, digest: str
) -> None:
    storage.delete(layout.provenance(digest))
    refused_by_all(storage, digest, keys.public, "is not signed")


def test_a_changed_file_is_damage_as_long_as_the_manifest_is_the_old_one(
    storage: Storage, keys: KeyPair, digest: str
) -> None:
    (engine_folder(storage, digest) / "model/model.bin").write_bytes(b"weightz")
    for use in (verify_engine, load):
        with pytest.raises(StorageError, match="differs from its manifest"):
            use(storage, digest, keys.public)


@pytest.mark.parametrize("name", ["model/model.bin", "engine.json", "README.md"])
def test_a_changed_file_is_refused_with_a_manifest_that_fits_it(
    storage: Storage, keys: KeyPair, digest: str, name: str
) -> None:
    (engine_folder(storage, digest) / name).write_bytes(b"other")
    rewrite_manifest(storage, digest)
    refused_by_all(storage, digest, keys.public, f"{name}: differs from what was signed")


def test_a_removed_file_is_refused(storage: Storage, keys: KeyPair, digest: str) -> None:
    (engine_folder(storage, digest) / "tokenizer/tokenizer.json").unlink()
    rewrite_manifest(storage, digest)
    refused_by_all(storage, digest, keys.public, "tokenizer.json: is missing, and was signed")


@pytest.mark.parametrize("name", ["model/more.bin", ".git/config", "adapter/adapter_config.json"])
def test_a_file_that_was_added_is_refused_with_a_manifest_that_names_it(
    storage: Storage, keys: KeyPair, digest: str, name: str
) -> None:
    added = engine_folder(storage, digest) / name
    added.parent.mkdir(exist_ok=True)
    added.write_bytes(b"x")
    rewrite_manifest(storage, digest)
    refused_by_all(storage, digest, keys.public, f"{name}: was added to the engine")


@pytest.mark.parametrize("name", ["model/more.bin", ".git/config"])
def test_a_file_that_no_manifest_names_is_noticed_and_never_loaded(
    storage: Storage, keys: KeyPair, digest: str, name: str
) -> None:
    added = engine_folder(storage, digest) / name
    added.parent.mkdir(exist_ok=True)
    added.write_bytes(b"x")
    with pytest.raises(SignatureError, match=f"{name}: was added"):
        verify_engine(storage, digest, keys.public)
    assert name not in load(storage, digest, keys.public)


def test_what_is_loaded_cannot_be_changed_by_who_writes_to_the_storage_root(
    storage: Storage, keys: KeyPair, digest: str
) -> None:
    weights = engine_folder(storage, digest) / "model/model.bin"
    with signed_engine(storage, digest, keys.public) as folder:
        weights.write_bytes(b"other")
        assert (folder / "model/model.bin").read_bytes() == b"weights"
        assert folder.parent.stat().st_mode & 0o077 == 0


def test_a_link_to_other_content_is_refused_and_one_to_the_same_is_copied(
    storage: Storage, keys: KeyPair, digest: str, tmp_path: Path
) -> None:
    weights, elsewhere = engine_folder(storage, digest) / "model/model.bin", tmp_path / "elsewhere"
    weights.rename(elsewhere)
    weights.symlink_to(elsewhere)
    with signed_engine(storage, digest, keys.public) as folder:
        assert not (folder / "model/model.bin").is_symlink()
    elsewhere.write_bytes(b"weightz")
    with pytest.raises(NmtError, match="differs from its manifest"):
        load(storage, digest, keys.public)


def test_an_engine_under_the_name_of_another_one_is_refused(
    storage: Storage, keys: KeyPair, digest: str
) -> None:
    other = leave_signed_run(storage, keys, "other", weights=b"other weights")
    shutil.rmtree(engine_folder(storage, digest))
    shutil.copytree(engine_folder(storage, other), engine_folder(storage, digest))
    refused_by_all(storage, digest, keys.public, "differs from what was signed")
    storage.write_bytes(layout.provenance(digest), storage.read_bytes(layout.provenance(other)))
    refused_by_all(storage, digest, keys.public, f"is the signature of engine {other}")


def test_the_signature_of_another_engine_is_refused(
    storage: Storage, keys: KeyPair, digest: str
) -> None:
    other = leave_signed_run(storage, keys, "other", weights=b"other weights")
    storage.write_bytes(layout.provenance(digest), storage.read_bytes(layout.provenance(other)))
    refused_by_all(storage, digest, keys.public, f"is the signature of engine {other}")


def test_a_signature_of_another_key_is_refused(
    storage: Storage, keys: KeyPair, tmp_path: Path
) -> None:
    digest = leave_signed_run(storage, make_keys(tmp_path, "stranger"))
    refused_by_all(storage, digest, keys.public, "was not signed with the key")


def test_the_hint_of_another_key_does_not_help(
    storage: Storage, keys: KeyPair, tmp_path: Path
) -> None:
    good = leave_signed_run(storage, keys)
    hint = storage.read_json(layout.provenance(good))["verificationMaterial"]
    digest = leave_signed_run(storage, make_keys(tmp_path, "stranger"), "other", weights=b"x")
    for material in (hint, {"publicKey": {}, "tlogEntries": []}):
        change_bundle(
            storage, digest, lambda bundle, m=material: bundle.update(verificationMaterial=m)
        )
        refused_by_all(storage, digest, keys.public, "was not signed with the key")


def test_a_changed_record_is_refused(storage: Storage, keys: KeyPair, digest: str) -> None:
    def change(payload: dict[str, Any]) -> None:
        record = json.loads(payload["predicate"]["provenance"])
        record["run"] = "another"
        payload["predicate"]["provenance"] = json.dumps(record)

    change_payload(storage, digest, change)
    refused_by_all(storage, digest, keys.public, "was changed since")


def test_a_changed_list_of_files_is_refused(storage: Storage, keys: KeyPair, digest: str) -> None:
    (engine_folder(storage, digest) / "model/model.bin").write_bytes(b"other")
    rewrite_manifest(storage, digest)
    new = storage.manifest(layout.engine(digest))["files"]

    def change(payload: dict[str, Any]) -> None:
        for resource in payload["predicate"]["resources"]:
            resource["digest"] = new[resource["name"]]["sha256"]

    change_payload(storage, digest, change)
    refused_by_all(storage, digest, keys.public, "was changed since")


def test_a_second_statement_beside_the_signed_one_is_not_read(
    storage: Storage, keys: KeyPair, digest: str, tmp_path: Path
) -> None:
    forged = leave_signed_run(storage, make_keys(tmp_path, "stranger"), "other", weights=b"x")
    good = storage.read_bytes(layout.provenance(digest)).decode()
    envelope = json.dumps(storage.read_json(layout.provenance(forged))["dsseEnvelope"])
    for text in (
        good.replace('{"mediaType"', f'{{"dsseEnvelope":{envelope},"mediaType"', 1),
        f'{good.rstrip()[:-1]},"dsse_envelope":{envelope}}}',
        f'{good.rstrip()[:-1]},"dsseEnvelope":{envelope}}}',
    ):
        storage.write_bytes(layout.provenance(forged), text.encode())
        with pytest.raises(SignatureError):
            verify_engine(storage, forged, keys.public)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_signature_is_refused_and_never_ends_in_a_traceback(
    storage: Storage, keys: KeyPair, digest: str, seed: int
) -> None:
    content = bytearray(storage.read_bytes(layout.provenance(digest)))
    at = seed * len(content) // 40
    content[at] ^= 1 << (seed % 7)
    storage.write_bytes(layout.provenance(digest), bytes(content))
    try:
        # A bit of the key's hint or of a field that nobody reads may be another one.
        verify_engine(storage, digest, keys.public)
    except SignatureError:
        return
    assert load(storage, digest, keys.public)["model/model.bin"] == b"weights"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b"null", b"[" * 50_000, b'{"dsseEnvelope": {}}']
)
def test_what_is_not_a_signature_is_refused(
    storage: Storage, keys: KeyPair, digest: str, content: bytes
) -> None:
    storage.write_bytes(layout.provenance(digest), content)
    refused_by_all(storage, digest, keys.public, "was not signed with the key")


def test_a_signature_of_the_library_alone_has_no_record_and_is_refused(
    storage: Storage, keys: KeyPair
) -> None:
    from model_signing import signing

    digest = leave_run(storage)
    target = Path(storage.locate(layout.provenance(digest)))
    target.parent.mkdir()
    config = signing.Config().use_elliptic_key_signer(private_key=keys.private)
    config.sign(engine_folder(storage, digest), target)
    refused_by_all(storage, digest, keys.public, "has no record")


def test_an_object_store_is_checked_in_the_same_way(keys: KeyPair, s3_url: str) -> None:
    storage = Storage(s3_url)
    digest = leave_signed_run(storage, keys)
    assert load(storage, digest, keys.public)["model/model.bin"] == b"weights"
    verify_engine(storage, digest, keys.public)
    storage.write_bytes(f"{layout.engine(digest)}/model/more.bin", b"x")
    with pytest.raises(SignatureError, match=r"more\.bin: was added"):
        verify_engine(storage, digest, keys.public)
    storage.write_bytes(f"{layout.engine(digest)}/model/model.bin", b"weightz")
    with pytest.raises(NmtError):
        verify_engine(storage, digest, keys.public)
    # The copy on this machine is the engine that was signed, whatever lies in the bucket now.
    assert load(storage, digest, keys.public)["model/model.bin"] == b"weights"
