"""An exported run with an engine of a few bytes, and keys that sign it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nmt.provenance.record import BaseOrigin, DataOrigin, Provenance, TrainingOrigin
from nmt.provenance.signing import sign_run
from nmt.runs import layout
from nmt.runs.engine_digest import engine_digest
from nmt.runs.records import RECORD, Record
from nmt.runs.steps import STEPS
from nmt.storage import Storage, describe_files

RUN = "mine"
FILES = {
    "model/model.bin": b"weights",
    "tokenizer/tokenizer.json": b"{}",
    "README.md": b"# A model\n",
}
LANGUAGES = ("eng_Latn", "tam_Taml")


@dataclass(frozen=True)
class KeyPair:
    """A private key in a file, and its public key in PEM."""

    private: Path
    public: str


def make_keys(folder: Path, name: str = "team", passphrase: bytes | None = None) -> KeyPair:
    """Make a pair of keys; the private one is encrypted if there is a passphrase."""
    key = ec.generate_private_key(ec.SECP256R1())
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / f"{name}.key"
    path.write_bytes(key.private_bytes(pem, form, lock))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(path, public.decode())


def leave_run(storage: Storage, run: str = RUN, weights: bytes = FILES["model/model.bin"]) -> str:
    """Leave the records of an exported run and its engine, and return the engine's digest."""
    digest = leave_content(storage, run, FILES | {"model/model.bin": weights})
    outputs = {"prepare": "data-1", "base": "base-1", "train": f"weights-{run}", "export": digest}
    for name, output in outputs.items():
        inputs = {earlier: outputs[earlier] for earlier in STEPS[name].after}
        record = Record(name, True, SETTINGS[name], inputs, output, result=_results(digest)[name])
        RECORD.write(storage, layout.step_record(run, STEPS[name]), record)
    return digest


def leave_content(storage: Storage, run: str, files: dict[str, bytes]) -> str:
    """Commit an engine under the digest of its content, and return the digest."""
    card = {"source_language": LANGUAGES[0], "target_language": LANGUAGES[1], "run": run}
    files = files | {"engine.json": json.dumps(card).encode()}
    with storage.commit("building") as folder:
        _write(folder, files)
        digest = engine_digest(describe_files(folder), *LANGUAGES)
    storage.delete("building")
    with storage.commit(layout.engine(digest), {"run": run}) as folder:
        _write(folder, files)
    return digest


def leave_signed_run(storage: Storage, keys: KeyPair, run: str = RUN, **options: Any) -> str:
    """Leave an exported run whose engine is signed, and return the engine's digest."""
    digest = leave_run(storage, run, **options)
    sign_run(storage, run, keys.private)
    return digest


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


SETTINGS: dict[str, dict[str, Any]] = {
    "prepare": {
        "data.source_language": LANGUAGES[0],
        "data.target_language": LANGUAGES[1],
        "data.cleaning.min_characters": 3,
        "seed": 7,
    },
    "base": {"model.name_or_path": "facebook/nllb", "model.revision": "main", "seed": 7},
    "train": {"adapter.rank": 8, "training.learning_rate": 1e-4, "seed": 7},
    "export": {"export.quantization": "int8"},
}


def _results(digest: str) -> dict[str, dict[str, Any]]:
    content = {"config.json": {"size": 2, "sha256": "a" * 64}}
    return {
        "prepare": {
            "fingerprint": "f" * 64,
            "sizes": {"train": 90, "validation": 5},
            "dropped": {"duplicate": 4},
            "screened": {"flores": {"pairs": 2, "digest": "d" * 12}},
        },
        "base": {
            "license": "mit",
            "model": {"revision": "c" * 40, "fingerprint": {"files": content}},
        },
        "train": {
            "trained_parameters": 10,
            "left_out": 0,
            "steps": 20,
            "best_step": 10,
            "best_bleu": 30.0,
        },
        "export": {
            "engine": digest,
            "format": "ctranslate2",
            "logit_difference": 0.0,
            "license": "mit",
            "software": {"version": "1", "python": "3.11"},
        },
    }


def record_of(digest: str) -> Provenance:
    """Return a record of an engine that no run has made."""
    return Provenance(
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        engine=digest,
        run=RUN,
        source_language=LANGUAGES[0],
        target_language=LANGUAGES[1],
        seed=1,
        settings={},
        data=DataOrigin(digest="data-1", sizes={}),
        base=BaseOrigin(name="tiny", license="mit"),
        training=TrainingOrigin(steps=1, digest="weights-1"),
        logit_difference=0.0,
    )
