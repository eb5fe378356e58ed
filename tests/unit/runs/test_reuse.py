"""Finished steps of other runs that a run takes over."""

import logging
from typing import Any

import pytest

from nmt.config import Config
from nmt.errors import ConfigError, StorageError
from nmt.runs import layout
from nmt.runs.records import RECORD, Record, find_record
from nmt.runs.running import run_step
from nmt.runs.steps import BASE, EVALUATE, GATE, PREPARE, STEPS, TRAIN, TUNE, AnyStep
from nmt.storage import Storage
from tests.support.runs.finished_steps import Work, config

EARLIER = "earlier"
NAMES = ("pairs/a.arrow", "pairs/manifest.json", "cleaning.json")


def made(storage: Storage, step: AnyStep, *names: str, **result: Any) -> Record:
    """Have the run `earlier` do a step and all before it, which leaves files of these names."""
    for name in step.after:
        if find_record(storage, EARLIER, STEPS[name]) is None:
            made(storage, STEPS[name], "file")

    def work():
        for name in names:
            storage.write_bytes(f"{layout.step_folder(EARLIER, step)}/{name}", name.encode())
        return Work(output=f"{step.name}-1", **result)()

    return run_step(storage, config(f"run={EARLIER}"), step, work)[0]


def later(*words: str) -> Config:
    return config("run=later", f"campaign.reuse=[{EARLIER}]", *words)


def take(storage: Storage, step: AnyStep, given: Config | None = None) -> Record:
    """Have the run `later` take over the steps before a step, and then that one."""
    given = given or later()
    for name in step.after:
        run_step(storage, given, STEPS[name], Work(output=f"{name}-1"))
    return run_step(storage, given, step, Work(output="done here"))[0]


def test_an_equal_step_is_taken_over_with_its_files(storage, caplog):
    before = made(storage, PREPARE, "pairs/a.arrow", "cleaning.json", found=3)
    with caplog.at_level(logging.INFO):
        found = take(storage, PREPARE)
    assert (found.output, found.result, found.taken_from) == ("prepare-1", {"found": 3}, EARLIER)
    assert found.seconds == before.seconds
    assert storage.read_bytes("later/data/pairs/a.arrow") == b"pairs/a.arrow"
    assert "prepare: taken from run earlier, which has the same settings and data" in caplog.text
    assert storage.read_json("later/data/config.json")["run"] == "later"


def test_a_step_on_an_object_store_is_taken_over(s3_url):
    storage = Storage(s3_url)
    made(storage, PREPARE, *NAMES)
    assert take(storage, PREPARE).taken_from == EARLIER
    assert storage.list_below("later/data") == [
        "cleaning.json",
        "config.json",
        *NAMES[:2],
        "step.json",
    ]
    storage.delete(layout.step_record("later", PREPARE))
    assert take(storage, PREPARE).output == "done here"


def test_what_was_taken_over_is_done_as_if_it_had_been_done_here(storage):
    made(storage, PREPARE, "pairs/a.arrow")
    taken = take(storage, PREPARE)
    storage.delete(EARLIER)
    again = Work()
    found, did_work = run_step(storage, config("run=later"), PREPARE, again)
    assert (found, did_work, again.calls) == (taken, False, 0)
    assert storage.read_bytes("later/data/pairs/a.arrow") == b"pairs/a.arrow"


def test_without_the_setting_nothing_is_taken_over(storage):
    made(storage, PREPARE)
    assert take(storage, PREPARE, config("run=later")).output == "done here"


def test_other_settings_are_not_taken_over(storage):
    made(storage, PREPARE, "pairs/a.arrow")
    found = take(storage, PREPARE, later("seed=2"))
    assert (found.output, found.taken_from) == ("done here", "")
    assert not storage.exists("later/data/pairs")


def test_a_step_that_was_made_from_something_else_is_not_taken_over(storage):
    made(storage, BASE)
    run_step(storage, config("run=later"), PREPARE, Work(output="other data"))
    found, did_work = run_step(storage, later(), BASE, Work(output="done here"))
    assert (found.output, did_work) == ("done here", True)


def test_what_else_a_step_was_made_from_counts_too(storage):
    made(storage, PREPARE)
    found, _ = run_step(
        storage, later(), PREPARE, Work(output="done here"), is_equal=lambda run, record: False
    )
    assert found.output == "done here"


def test_the_gate_decides_anew(storage):
    made(storage, GATE)
    assert take(storage, GATE).output == "done here"


def test_an_unfinished_step_is_not_taken_over(storage):
    with pytest.raises(KeyboardInterrupt):
        run_step(storage, config(f"run={EARLIER}"), PREPARE, Work(KeyboardInterrupt()))
    assert take(storage, PREPARE).output == "done here"


def test_a_run_that_is_gone_or_damaged_is_passed_over(storage, caplog):
    made(storage, PREPARE)
    storage.write_bytes("damaged/data/step.json", b"{")
    named = f"campaign.reuse=[gone,damaged,later,{EARLIER}]"
    found = take(storage, PREPARE, config("run=later", named))
    assert found.taken_from == EARLIER
    assert "campaign.reuse names run gone, which is gone" in caplog.text
    assert "run damaged is passed over" in caplog.text


def test_damaged_files_are_not_taken_over(storage):
    made(storage, PREPARE, "pairs/a.arrow", "left.json")
    found, did_work = run_step(
        storage, later(), PREPARE, Work(output="done here"),
        is_intact=lambda record: storage.exists("later/data/pairs/b.arrow"),
    )  # fmt: skip
    assert (found.output, did_work) == ("done here", True)
    assert storage.list("later/data") == ["config.json", "step.json"]


def test_a_step_that_cannot_be_copied_is_done_here(storage, monkeypatch, caplog):
    def refuse(*paths: str) -> None:
        raise StorageError("the disk is full")

    made(storage, PREPARE, "pairs/a.arrow")
    monkeypatch.setattr(Storage, "copy_file", refuse)
    assert take(storage, PREPARE).output == "done here"
    assert "the disk is full" in caplog.text


def test_a_step_that_is_made_again_while_it_is_copied_is_not_taken_over(storage, monkeypatch):
    made(storage, PREPARE, "pairs/a.arrow")
    copy = Storage.copy_file

    def copy_late(self: Storage, source: str, target: str) -> None:
        copy(self, source, target)
        found = find_record(self, EARLIER, PREPARE)
        assert found
        RECORD.write(self, layout.step_record(EARLIER, PREPARE), Record("prepare", True, {}, {}))

    monkeypatch.setattr(Storage, "copy_file", copy_late)
    assert take(storage, PREPARE).output == "done here"


class Kill:
    """Ends the process at a write of a step below the run `later`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.writes, self.at = 0, at
        for name in ("write_bytes", "copy_file", "delete"):
            monkeypatch.setattr(Storage, name, self._counted(getattr(Storage, name)))

    def _counted(self, action: Any) -> Any:
        def counted(storage: Storage, *arguments: Any) -> Any:
            self.writes += 1
            if self.writes == self.at:
                raise KeyboardInterrupt
            return action(storage, *arguments)

        return counted


@pytest.mark.parametrize("source_is_gone", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_kill_at_any_write_leaves_a_state_that_goes_on(storage, monkeypatch, at, source_is_gone):
    made(storage, PREPARE, *NAMES)
    with monkeypatch.context() as patch:
        Kill(patch, at)
        with pytest.raises(KeyboardInterrupt):
            take(storage, PREPARE)
    left = find_record(storage, "later", PREPARE)
    assert left is None or not left.done
    if source_is_gone:
        storage.delete(EARLIER)
    found = take(storage, PREPARE)
    if source_is_gone:
        assert (found.output, found.taken_from) == ("done here", "")
        assert storage.list("later/data") == ["config.json", "step.json"]
    else:
        assert (found.output, found.taken_from) == ("prepare-1", EARLIER)
        assert all(storage.exists(f"later/data/{name}") for name in NAMES)


def test_a_manifest_is_copied_after_the_files_that_it_names(storage, monkeypatch):
    made(storage, PREPARE, "pairs/manifest.json", "pairs/z.arrow", "cleaning.json")
    copied: list[str] = []
    monkeypatch.setattr(Storage, "copy_file", lambda self, source, target: copied.append(source))
    take(storage, PREPARE)
    assert copied[-1] == "earlier/data/pairs/manifest.json"


def test_work_that_has_begun_here_goes_on(storage):
    made(storage, PREPARE)
    with pytest.raises(KeyboardInterrupt):
        run_step(storage, config("run=later"), PREPARE, Work(KeyboardInterrupt()))
    assert take(storage, PREPARE).output == "done here"


def test_checkpoints_without_a_record_stay(storage):
    """The message about a damaged record asks to delete that one file."""
    made(storage, TRAIN)
    storage.write_bytes("later/train/checkpoints/step-00000001/a", b"")
    assert take(storage, TRAIN).output == "done here"
    assert storage.exists("later/train/checkpoints/step-00000001/a")


def test_a_restart_begins_anew_with_what_can_be_taken_over(storage):
    run_step(storage, config("run=later"), PREPARE, Work(output="done here"))
    made(storage, PREPARE)
    found, _ = run_step(storage, later(), PREPARE, Work(), restart=True)
    assert found.taken_from == EARLIER


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (TRAIN, ["best/a", "micro_batches.json"]),
        (TUNE, ["best/a", "micro_batches.json", "trials/1/checkpoints/step-00000001/a"]),
    ],
)
def test_a_training_leaves_behind_what_only_its_own_run_needs(storage, step, names):
    own = ["ray/a", "mlflow.json", "tensorboard/events", ".best.1.partial/a"]
    made(
        storage, step, "best/a", "micro_batches.json", *own, "trials/1/checkpoints/step-00000001/a"
    )
    take(storage, step)
    found = storage.list_below(layout.step_folder("later", step))
    assert found == sorted([*names, "config.json", "step.json"])


def test_a_test_set_may_have_any_name(storage):
    names = ["hypotheses/checkpoints/base.jsonl", "hypotheses/ray/base.jsonl", "sets/ray.json"]
    made(storage, EVALUATE, *names)
    take(storage, EVALUATE)
    assert storage.list_below("later/evaluation") == ["config.json", *names, "step.json"]


def test_the_result_names_the_files_of_its_own_run(storage):
    made(storage, BASE, model={"name": "earlier/base/best"}, others=["earlier/base-2", "earlier"])
    found = take(storage, BASE).result
    assert found == {
        "model": {"name": "later/base/best"},
        "others": ["earlier/base-2", "earlier"],
    }


def test_the_files_of_both_runs_can_be_replaced(storage):
    made(storage, PREPARE, "cleaning.json")
    take(storage, PREPARE)
    storage.write_bytes("later/data/cleaning.json", b"changed")
    assert storage.read_bytes("earlier/data/cleaning.json") == b"cleaning.json"


def test_a_step_is_deleted_from_its_record_on(storage, monkeypatch):
    made(storage, PREPARE, "pairs/a.arrow")
    with monkeypatch.context() as patch:
        Kill(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            run_step(storage, config(f"run={EARLIER}"), PREPARE, Work(), restart=True)
    assert storage.exists("earlier/data/pairs/a.arrow")
    assert take(storage, PREPARE).output == "done here"


def test_a_name_that_no_run_can_have_is_refused():
    with pytest.raises(ConfigError, match=r"campaign\.reuse"):
        config("campaign.reuse=[../other]")
