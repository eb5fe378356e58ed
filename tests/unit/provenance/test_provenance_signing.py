"""What the signed record says, when it is signed, and with which keys."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from nmt.config import load_with_user_set
from nmt.errors import InputError, MissingStepError, SignatureError
from nmt.provenance.signing import sign_run, update_signature
from nmt.provenance.verification import verify_engine
from nmt.runs import layout
from nmt.runs.steps import EVALUATE, TRAIN
from nmt.storage import Storage
from ray_jobs import provenance
from ray_jobs.runtime.context import Session
from tests.support.runs.evaluated_run import with_engine
from tests.support.runs.gate_record import leave_decision
from tests.support.runs.records import change_record
from tests.support.runs.signed_run import (
    RUN,
    KeyPair,
    leave_run,
    leave_signed_run,
    make_keys,
)
from tests.support.runs.summaries import WORSE, evaluation


def leave_evaluation(storage: Storage, engine: str) -> None:
    found = with_engine(evaluation(20.0, 8.5, chrf=30.0, compared=WORSE)).model_dump(mode="json")
    inputs = {"prepare": "data-1", "base": "base-1", "train": "x", "export": engine}
    content = {"step": "evaluate", "done": True, "settings": {}, "inputs": inputs, "result": found}
    storage.write_json(layout.step_record(RUN, EVALUATE), content)


def test_the_record_says_what_the_engine_was_made_from(storage: Storage, keys: KeyPair) -> None:
    with storage.commit(layout.trained_weights(RUN)) as folder:
        (folder / "adapter.safetensors").write_bytes(b"adapter")
    record = verify_engine(storage, leave_signed_run(storage, keys), keys.public)
    assert (record.run, record.seed) == (RUN, 7)
    assert record.data.fingerprint == "f" * 64
    assert record.data.dropped == {"duplicate": 4}
    assert record.data.screened["flores"].digest == "d" * 12
    assert record.settings["prepare"]["data.cleaning.min_characters"] == 3
    assert record.settings["train"] == {
        "adapter.rank": 8,
        "training.learning_rate": 1e-4,
        "seed": 7,
    }
    assert (record.base.name, record.base.revision) == ("facebook/nllb", "c" * 40)
    assert record.base.files == {"config.json": "a" * 64}
    assert (record.training.best_step, record.training.digest) == (10, f"weights-{RUN}")
    assert record.software
    assert record.software.version == "1"
    assert record.evaluation is None


def test_weights_that_were_trained_again_are_not_named_as_those_of_the_engine(
    storage: Storage, keys: KeyPair
) -> None:
    with storage.commit(layout.trained_weights(RUN)) as folder:
        (folder / "adapter.safetensors").write_bytes(b"adapter")
    record = verify_engine(storage, leave_signed_run(storage, keys), keys.public)
    assert record.training.files == {}


def test_an_engine_of_an_earlier_training_is_not_signed(storage: Storage, keys: KeyPair) -> None:
    leave_run(storage)
    change_record(storage, layout.step_record(RUN, TRAIN), output="newer")
    with pytest.raises(InputError, match="the step 'train' was made again after 'export'"):
        sign_run(storage, RUN, keys.private)


def test_a_run_that_is_not_exported_is_not_signed(storage: Storage, keys: KeyPair) -> None:
    with pytest.raises(MissingStepError):
        sign_run(storage, RUN, keys.private)


def test_content_that_is_not_what_was_exported_is_not_signed(
    storage: Storage, keys: KeyPair
) -> None:
    digest = leave_run(storage)
    files = {"engine.json": b"{}", "model/model.bin": b"other"}
    for languages in (("eng_Latn", "tam_Taml"), ("eng_Latn", "fra_Latn")):
        card = {"source_language": languages[0], "target_language": languages[1]}
        files["engine.json"] = json.dumps(card).encode()
        with storage.commit(layout.engine(digest)) as folder:
            (folder / "model").mkdir()
            for name, content in files.items():
                (folder / name).write_bytes(content)
        with pytest.raises(SignatureError, match="it is not what run 'mine' exported"):
            sign_run(storage, RUN, keys.private)
    assert not storage.exists(layout.provenance(digest))


def test_signing_again_changes_nothing_if_the_record_says_the_same(
    storage: Storage, keys: KeyPair
) -> None:
    digest = leave_signed_run(storage, keys)
    before = storage.read_bytes(layout.provenance(digest))
    assert not sign_run(storage, RUN, keys.private).is_new
    assert storage.read_bytes(layout.provenance(digest)) == before


def test_an_evaluation_is_added_to_the_record(storage: Storage, keys: KeyPair) -> None:
    digest = leave_signed_run(storage, keys)
    leave_evaluation(storage, digest)
    done = update_signature(storage, RUN, keys.private)
    assert done
    assert done.is_new
    found = verify_engine(storage, digest, keys.public).evaluation
    assert found
    assert {row.system for row in found.scores} == {"base", "tuned", "engine"}


def test_an_evaluation_of_another_engine_is_left_out(storage: Storage, keys: KeyPair) -> None:
    digest = leave_signed_run(storage, keys)
    leave_evaluation(storage, "another")
    update_signature(storage, RUN, keys.private)
    assert verify_engine(storage, digest, keys.public).evaluation is None


def test_the_decision_of_a_gate_is_added_to_the_record(storage: Storage, keys: KeyPair) -> None:
    digest = leave_signed_run(storage, keys)
    decision = leave_decision(storage, RUN, "accept", engine=digest)
    leave_evaluation(storage, digest)
    update_signature(storage, RUN, keys.private)
    record = verify_engine(storage, digest, keys.public)
    assert record.gate == decision
    assert record.evaluation


def test_a_decision_on_another_engine_is_left_out(storage: Storage, keys: KeyPair) -> None:
    digest = leave_signed_run(storage, keys)
    leave_decision(storage, RUN, "accept", engine="another")
    sign_run(storage, RUN, keys.private)
    assert verify_engine(storage, digest, keys.public).gate is None


def test_an_earlier_signature_of_the_same_engine_is_still_valid(
    storage: Storage, keys: KeyPair
) -> None:
    """A signature says that its record was true once, and not that it is the latest."""
    digest = leave_signed_run(storage, keys)
    earlier = storage.read_bytes(layout.provenance(digest))
    leave_decision(storage, RUN, "accept", engine=digest)
    update_signature(storage, RUN, keys.private)
    storage.write_bytes(layout.provenance(digest), earlier)
    assert verify_engine(storage, digest, keys.public).gate is None


def test_a_record_is_not_added_to_an_engine_that_this_key_has_not_signed(
    storage: Storage, keys: KeyPair, tmp_path: Path
) -> None:
    digest = leave_run(storage)
    assert update_signature(storage, RUN, keys.private) is None
    sign_run(storage, RUN, make_keys(tmp_path, "stranger").private)
    assert update_signature(storage, RUN, keys.private) is None
    storage.write_bytes(layout.provenance(digest), b"{}")
    assert update_signature(storage, RUN, keys.private) is None


@pytest.mark.parametrize("sign", [sign_run, update_signature])
def test_an_engine_that_has_changed_since_is_not_signed_again(
    storage: Storage, keys: KeyPair, sign: Any
) -> None:
    digest = leave_signed_run(storage, keys)
    leave_evaluation(storage, digest)
    before = storage.read_bytes(layout.provenance(digest))
    with storage.commit(layout.engine(digest)) as folder:
        (folder / "engine.json").write_text("{}")
    with pytest.raises(SignatureError, match=r"nothing is signed again.*--restart"):
        sign(storage, RUN, keys.private)
    assert storage.read_bytes(layout.provenance(digest)) == before


def test_a_later_step_warns_about_an_engine_that_it_does_not_sign_unasked(
    storage: Storage, keys: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    leave_run(storage)
    loaded = load_with_user_set(overrides=[f"run={RUN}"])
    with caplog.at_level(logging.WARNING):
        provenance.sign_again(Session(loaded.config, storage, loaded.user_set), keys.private)
    assert f"give `nmt provenance sign run={RUN}`" in caplog.text


def test_a_signature_that_the_endpoint_would_refuse_is_an_error_at_once(
    storage: Storage, keys: KeyPair, tmp_path: Path
) -> None:
    leave_run(storage)
    other = make_keys(tmp_path, "other").public
    loaded = load_with_user_set(overrides=[f"run={RUN}", f"serving.public_key={other}"])
    with pytest.raises(SignatureError, match="was not signed with the key"):
        provenance.sign_new(Session(loaded.config, storage, loaded.user_set), keys.private)
