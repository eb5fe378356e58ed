"""Damaged records of every kind are refused with advice, and never used."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nmt.config import Config
from nmt.errors import StorageError
from nmt.ratings.batches import KEY, make_key
from nmt.ratings.design import DESIGN
from nmt.ratings.given import RATINGS, Ratings
from nmt.runs.records import BEST_TRIAL, SUMMARY, TRIAL, find_record
from nmt.runs.running import run_step
from nmt.runs.steps import PREPARE
from nmt.runs.trials import Trial, TrialPoint, TrialWithCheckpoints
from nmt.storage import MANIFEST, RecordKind, Storage
from nmt.training.saved.records import CUT, MLFLOW_RUN, Cut, MlflowRun
from ray_jobs.supervision.attempts import ATTEMPTS, Attempts
from tests.support.ratings.studies import design, outputs, rating
from tests.support.runs.records import step_output
from tests.support.runs.summaries import full

MUTATIONS = 1000
CURVE = (TrialPoint(step=50, bleu=1.5), TrialPoint(step=100, bleu=30.25))
ONE = Trial(
    config={"adapter.rank": 8, "training.learning_rate": 1e-3}, state="finished", number=3,
    bleu=30.25, steps=100, curve=CURVE,
)  # fmt: skip
STUDY = design(outputs(5))
KINDS: dict[str, tuple[RecordKind[Any], object]] = {
    "trial.json": (TRIAL, ONE),
    "best.json": (
        BEST_TRIAL,
        TrialWithCheckpoints(**ONE.model_dump(), checkpoints="demo/tune/trials/x"),
    ),
    "micro_batches.json": (CUT, Cut(4)),
    "mlflow.json": (MLFLOW_RUN, MlflowRun("0123456789abcdef0123456789abcdef")),
    "logs/a.json": (ATTEMPTS, Attempts("raysubmit_1", 1_800_000_000.5, 2)),
    "summary.json": (SUMMARY, full()),
    "design.json": (DESIGN, STUDY),
    "key-001.json": (KEY, make_key(STUDY, 1)),
    "ratings.json": (RATINGS, Ratings(rows=(rating(0, {"old": 1.0, "new": 2.0}),))),
}
OTHERS = (None, True, False, 0, 1, -1, 7.5, 1e300, "", "other", "../../x", [], [1], {}, {"a": 1})


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path))


def mutations(content: bytes) -> Iterator[bytes]:
    """Yield damaged versions of a record: cut, or with other bytes, keys or values."""
    drawn = random.Random(7)
    plain = json.loads(content)
    yield from (b"", b"{}", b"[]", b"null", b"1", b'"x"', b"true", b"\xff\xfe\x00", b"[" * 100_000)
    while True:
        yield content[: drawn.randrange(len(content))]
        spoilt = bytearray(content)
        spoilt[drawn.randrange(len(spoilt))] ^= 1 << drawn.randrange(8)
        yield bytes(spoilt)
        for change in (_remove, _exchange, _exchange, _add):
            changed = copy.deepcopy(plain)
            change(changed, drawn)
            yield json.dumps(changed).encode()


def _places(node: Any) -> list[tuple[Any, Any]]:
    """List each value of a tree as its container and its key."""
    keys = node.keys() if isinstance(node, dict) else range(len(node))
    below = [(node, key) for key in keys]
    nested = [node[key] for key in keys if isinstance(node[key], dict | list)]
    return below + [place for each in nested for place in _places(each)]


def _remove(plain: Any, drawn: random.Random) -> None:
    holder, key = drawn.choice(_places(plain))
    del holder[key]


def _exchange(plain: Any, drawn: random.Random) -> None:
    holder, key = drawn.choice(_places(plain))
    holder[key] = drawn.choice(OTHERS)


def _add(plain: Any, drawn: random.Random) -> None:
    plain[drawn.choice(["surplus", "sha512"])] = drawn.choice(OTHERS)


class Damaged(Storage):
    """A storage root with one given content; a disk would take ten times as long."""

    content = b""

    def read_bytes(self, path: str) -> bytes:
        return self.content


def check_all(storage: Storage, path: str, read: Callable[[Storage], object]) -> None:
    """Check that each mutation of a file is refused in one line or read without a difference."""
    content, before, refused = storage.read_bytes(path), read(storage), []
    damaged = Damaged(storage.locate(""))
    for _, damaged.content in zip(range(MUTATIONS), mutations(content), strict=False):
        try:
            assert read(damaged) == before, damaged.content[:2000]
        except StorageError as error:
            refused.append(str(error))
    assert len(refused) > 0.9 * MUTATIONS
    assert [text for text in refused if "\n" in text or len(text) > 500] == []


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_record_is_refused_with_advice(storage: Storage, name: str) -> None:
    kind, record = KINDS[name]
    kind.write(storage, name, record)
    check_all(storage, name, lambda root: kind.find(root, name, "do this"))


def test_a_damaged_record_of_a_step_is_refused_with_advice(storage: Storage) -> None:
    result = {"sizes": {"train": 90, "test": 10}, "fingerprint": None, "share": 0.5}
    run_step(storage, Config(), PREPARE, lambda: step_output(**result))
    check_all(storage, "demo/data/step.json", lambda root: find_record(root, "demo", PREPARE))


def test_a_damaged_manifest_is_refused(storage: Storage) -> None:
    with storage.commit("one", {"step": 7, "curve": [{"step": 7, "bleu": 1.5}]}) as folder:
        (folder / "a").write_text("a")

    def told(root: Storage) -> tuple[object, object]:
        manifest = root.manifest("one")
        return manifest["files"], manifest["meta"]

    check_all(storage, f"one/{MANIFEST}", told)


@pytest.mark.parametrize(
    "about",
    [None, {}, {"size": 1}, {"size": "1", "sha256": "0" * 64}, {"size": 1, "sha256": "0"}],
    ids=str,
)
def test_a_manifest_without_a_hash_is_refused_where_a_file_is_not_described(
    storage: Storage, about: object
) -> None:
    storage.write_json(f"one/{MANIFEST}", {"files": {"a": about}, "meta": {}})
    with pytest.raises(StorageError, match="a file has no size or hash"):
        storage.fetch("one")


def test_a_message_names_the_file_the_problem_and_the_remedy(storage: Storage) -> None:
    storage.write_bytes("a/trial.json", b'{"state": "finished"}')
    with pytest.raises(StorageError) as refusal:
        TRIAL.find(storage, "a/trial.json", "run `nmt tune`")
    assert str(refusal.value) == (
        f"{storage.locate('a/trial.json')}: not the record of a trial, so damaged (config: Field "
        "required): run `nmt tune`"
    )


def test_a_record_of_an_earlier_release_without_a_hash_is_read(storage: Storage) -> None:
    storage.write_json("cut.json", {"parts": 4})
    assert CUT.find(storage, "cut.json", "") == Cut(4)


def test_a_record_of_a_later_release_with_other_fields_is_read(storage: Storage) -> None:
    storage.write_json("cut.json", {"parts": 4, "since": "later"})
    assert CUT.find(storage, "cut.json", "") == Cut(4)


def test_a_record_that_was_changed_by_hand_is_refused(storage: Storage) -> None:
    CUT.write(storage, "cut.json", Cut(4))
    storage.write_json("cut.json", {**storage.read_json("cut.json"), "parts": 8})
    with pytest.raises(StorageError, match="it was changed after it was written"):
        CUT.find(storage, "cut.json", "")


def test_no_change_of_a_record_is_lost_when_two_processes_change_it(storage: Storage) -> None:
    def add_one(current: Cut | None) -> Cut:
        parts = current.parts if current else 1
        if parts == 4:
            # Another process is faster.
            CUT.write(storage, "cut.json", Cut(8))
        return Cut(parts * 2)

    assert CUT.update(storage, "cut.json", add_one, "") == Cut(2)
    assert CUT.update(storage, "cut.json", add_one, "") == Cut(4)
    assert CUT.update(storage, "cut.json", add_one, "") == Cut(16)
    assert CUT.find(storage, "cut.json", "") == Cut(16)


def test_a_damaged_record_is_not_changed(storage: Storage) -> None:
    storage.write_bytes("cut.json", b"{")
    with pytest.raises(StorageError, match="make it again"):
        CUT.update(storage, "cut.json", lambda _: Cut(1), "make it again")
    assert storage.read_bytes("cut.json") == b"{"


def test_a_damaged_optional_record_is_skipped_with_a_message(storage: Storage) -> None:
    storage.write_bytes("cut.json", b"")
    told: list[str] = []
    assert CUT.find_or_leave_out(storage, "cut.json", "it is made again", told.append) is None
    assert told[0].endswith("(it is not valid JSON): it is made again")
