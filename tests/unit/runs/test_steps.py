import pytest

from nmt.config import Config, load_with_user_set
from nmt.errors import (
    InputError,
    MissingStepError,
    StepConflictError,
    StorageError,
    TrainingError,
    UnavailableError,
)
from nmt.runs.records import Record, find_record, require, settings_of
from nmt.runs.running import inherit, run_step
from nmt.runs.steps import BASE, EVALUATE, EXPORT, PREPARE, STEPS, TRAIN, TUNE, Step
from nmt.storage import Storage
from tests.support.runs.finished_steps import Work, config, finish
from tests.support.runs.records import change_record


def finish_before(storage: Storage, step: Step) -> None:
    finish(storage, *[STEPS[name] for name in STEPS if name in {"prepare", "base", *step.after}])


def test_a_step_does_its_work_and_leaves_a_record(storage):
    work = Work(output="digest", sizes={"train": 3})
    record, did_work = run_step(storage, config(), PREPARE, work)
    assert (work.calls, did_work) == (1, True)
    assert record == find_record(storage, "demo", PREPARE)
    assert (record.done, record.output, record.result) == (True, "digest", {"sizes": {"train": 3}})


def test_a_second_call_is_a_skip_that_returns_the_old_record(storage):
    first, _ = run_step(storage, config(), PREPARE, Work(output="digest"))
    change_record(storage, "demo/data/step.json", seconds=123.4)
    again = Work(output="other")
    second, did_work = run_step(storage, config(), PREPARE, again)
    assert (again.calls, did_work) == (0, False)
    assert (second.seconds, second.output) == (123.4, first.output)


def test_a_finished_step_whose_work_can_no_longer_be_read_is_done_again(storage):
    run_step(storage, config(), PREPARE, Work(output="digest"))
    again = Work(output="other")
    record, did_work = run_step(storage, config(), PREPARE, again, is_intact=lambda record: False)
    assert (again.calls, did_work) == (1, True)
    assert find_record(storage, "demo", PREPARE) == record
    assert record.output == "other"


def test_what_a_step_has_just_made_is_not_looked_at_again(storage):
    def fail(record: Record) -> bool:
        raise AssertionError

    run_step(storage, config(), PREPARE, Work(output="digest"), is_intact=fail)


def test_the_whole_config_lies_beside_the_record(storage):
    run_step(storage, config("seed=5"), PREPARE, Work())
    assert Config.parse(storage.read_json("demo/data/config.json")) == config("seed=5")


def test_work_without_an_output_is_known_by_its_settings(storage):
    first, _ = run_step(storage, config(), PREPARE, Work())
    other, _ = run_step(storage, config("run=other", "seed=2"), PREPARE, Work())
    assert first.output
    assert first.output != other.output


def test_other_settings_are_refused_with_both_values(storage):
    finish(storage, PREPARE)
    again = Work()
    with pytest.raises(StepConflictError) as caught:
        run_step(storage, config("seed=2", "data.max_pairs=9"), PREPARE, again)
    message = str(caught.value)
    assert "run 'demo' has a step 'prepare' with other settings" in message
    assert "seed: 1 there, 2 now" in message
    assert "data.max_pairs: None there, 9 now" in message
    assert "run=NAME, or discard that step by `nmt" in message
    assert again.calls == 0


def test_a_setting_that_exists_only_now_is_shown_as_not_set_before(storage):
    finish(storage, PREPARE, BASE)
    run_step(storage, config("adapter.type=none"), TRAIN, Work())
    with pytest.raises(StepConflictError, match=r"adapter\.rank: not set there, 16 now"):
        run_step(storage, config(), TRAIN, Work())


def test_settings_of_other_steps_may_change(storage):
    finish(storage, PREPARE)
    _, did_work = run_step(storage, config("training.max_steps=99"), PREPARE, Work())
    assert not did_work


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (TUNE, "tune.max_concurrent=7"),
        (TUNE, "tune.trials=7"),
        (TRAIN, "training.log_every_seconds=9"),
        (TRAIN, "training.checkpoint_every_steps=9"),
        (TRAIN, "training.keep_checkpoints=9"),
        (EVALUATE, "evaluation.batch_tokens=9"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_setting_without_effect_may_change(storage, step, word):
    finish_before(storage, step)
    run_step(storage, config(), step, Work())
    _, did_work = run_step(storage, config(word), step, Work())
    assert not did_work


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (TUNE, "tune.grace_steps=7"),
        (TUNE, "tune.space={seed: {type: choice, values: [1]}}"),
        (TRAIN, "adapter.rank=9"),
        (TRAIN, "model.max_source_tokens=9"),
        (EXPORT, "export.quantization=float32"),
    ],
    ids=lambda value: value.partition("=")[0] if isinstance(value, str) else value.name,
)
def test_a_setting_with_effect_may_not_change(storage, step, word):
    finish_before(storage, step)
    run_step(storage, config(), step, Work())
    with pytest.raises(StepConflictError, match=word.partition("=")[0]):
        run_step(storage, config(word), step, Work())


SET = "evaluation.sets.news.path=news.tsv"


@pytest.mark.parametrize(
    "word", ["evaluation.beam_size=4", "serving.length_penalty=1.5", SET, "seed=2"]
)
def test_other_settings_of_the_evaluation_add_to_what_it_has_made(storage, word):
    finish_before(storage, EVALUATE)
    run_step(storage, config(), EVALUATE, Work(output="one"))
    storage.write_bytes("demo/evaluation/hypotheses/test/base.jsonl", b"1")
    more = Work(output="two")
    record, did_work = run_step(storage, config(word), EVALUATE, more)
    assert (more.calls, did_work, record.output) == (1, True, "two")
    assert find_record(storage, "demo", EVALUATE) == record
    assert Config.parse(storage.read_json("demo/evaluation/config.json")) == config(word)
    assert storage.exists("demo/evaluation/hypotheses/test/base.jsonl")


def test_an_evaluation_of_an_engine_that_was_exported_again_is_done_again(storage):
    finish_before(storage, EVALUATE)
    run_step(storage, config(), EVALUATE, Work())
    run_step(storage, config(), EXPORT, Work(output="two"), restart=True)
    record, did_work = run_step(storage, config(), EVALUATE, Work())
    assert did_work
    assert record.inputs["export"] == "two"


@pytest.mark.parametrize("fault", [InputError("no such file"), TrainingError("lost")])
def test_an_addition_that_fails_leaves_the_finished_evaluation_as_it_was(storage, fault):
    finish_before(storage, EVALUATE)
    before, _ = run_step(storage, config(), EVALUATE, Work(output="one"))
    with pytest.raises(type(fault)):
        run_step(storage, config(SET), EVALUATE, Work(fault))
    assert find_record(storage, "demo", EVALUATE) == before
    assert Config.parse(storage.read_json("demo/evaluation/config.json")) == config()


def test_an_evaluation_takes_the_settings_of_the_earlier_one_that_are_not_given(storage):
    finish_before(storage, EVALUATE)
    words = ("evaluation.beam_size=4", "evaluation.systems.other.run=other", SET)
    run_step(storage, config(*words), EVALUATE, Work())
    more = filled_in(
        storage, EVALUATE, "evaluation.sets.talks.path=talks.tsv", "evaluation.usable_chrf=70"
    ).evaluation
    assert (more.beam_size, more.usable_chrf) == (4, 70)
    assert more.sets.keys() == {"news", "talks"}
    assert more.systems["other"].run == "other"


def test_a_test_set_that_is_named_again_keeps_none_of_its_earlier_settings(storage):
    finish_before(storage, EVALUATE)
    run_step(storage, config(SET, "evaluation.sets.news.format=tsv"), EVALUATE, Work())
    news = filled_in(storage, EVALUATE, "evaluation.sets.news.path=new.txt").evaluation.sets["news"]
    assert (news.path, news.format) == ("new.txt", "auto")


def test_an_evaluation_that_is_restarted_takes_no_settings_of_the_earlier_one(storage):
    finish_before(storage, EVALUATE)
    run_step(storage, config("evaluation.beam_size=4"), EVALUATE, Work())
    assert inherit(storage, config(), EVALUATE, (), restart=True).evaluation.beam_size == 1


def test_a_step_made_again_below_is_a_changed_input(storage):
    finish(storage, PREPARE, BASE)
    run_step(storage, config(), PREPARE, Work(output="two"), restart=True)
    with pytest.raises(StepConflictError, match="step 'prepare' was made again since"):
        run_step(storage, config(), BASE, Work())


def test_a_step_made_again_with_the_same_output_is_no_changed_input(storage):
    finish(storage, PREPARE, BASE)
    run_step(storage, config(), PREPARE, Work(output="one"), restart=True)
    _, did_work = run_step(storage, config(), BASE, Work())
    assert not did_work


def test_restart_discards_what_an_earlier_call_made(storage):
    finish(storage, PREPARE)
    storage.write_bytes("demo/data/old", b"1")
    work = Work(output="new")
    record, did_work = run_step(storage, config("seed=2"), PREPARE, work, restart=True)
    assert (did_work, record.output) == (True, "new")
    assert not storage.exists("demo/data/old")


def test_restart_leaves_other_steps_alone(storage):
    finish(storage, PREPARE, BASE)
    run_step(storage, config(), BASE, Work(), restart=True)
    assert find_record(storage, "demo", PREPARE) is not None


def test_restart_discards_nothing_when_an_earlier_step_is_missing(storage):
    storage.write_bytes("demo/base/old", b"1")
    with pytest.raises(MissingStepError):
        run_step(storage, config(), BASE, Work(), restart=True)
    assert storage.exists("demo/base/old")


def test_bad_input_on_the_first_try_leaves_nothing_behind(storage):
    with pytest.raises(InputError, match="no such file"):
        run_step(storage, config("data.path=gone"), PREPARE, Work(InputError("no such file")))
    assert not storage.exists("demo/data")
    _, did_work = run_step(storage, config("data.path=there"), PREPARE, Work())
    assert did_work


@pytest.mark.parametrize(("step", "folder"), [(TRAIN, "train"), (TUNE, "tune/trials/one")])
def test_bad_input_on_the_first_try_keeps_what_was_trained_before_it(storage, step, folder):
    def work():
        with storage.commit(f"demo/{folder}/checkpoints/step-00000500"):
            pass
        raise UnavailableError("the hub cannot be reached")

    finish(storage, PREPARE, BASE)
    with pytest.raises(UnavailableError):
        run_step(storage, config(), step, work)
    assert storage.is_committed(f"demo/{folder}/checkpoints/step-00000500")
    record = find_record(storage, "demo", step)
    assert record
    assert not record.done


@pytest.mark.parametrize(
    "content",
    [b"", b'{"step": "tr', b"[]", b'{"step": "train", "done": true, "settings": null}'],
    ids=["empty", "cut", "list", "hollow"],
)
def test_a_damaged_record_says_how_to_go_on(storage, content):
    storage.write_bytes("demo/train/step.json", content)
    with pytest.raises(StorageError, match=r"demo/train/step.json: .*delete this one file"):
        find_record(storage, "demo", TRAIN)


def test_bad_input_on_a_later_try_keeps_what_there_is(storage):
    with pytest.raises(TrainingError):
        run_step(storage, config(), PREPARE, Work(TrainingError("lost")))
    storage.write_bytes("demo/data/half", b"1")
    with pytest.raises(InputError):
        run_step(storage, config(), PREPARE, Work(InputError("hub is away")))
    assert storage.exists("demo/data/half")


@pytest.mark.parametrize("fault", [TrainingError("lost"), RuntimeError("bug")])
def test_another_failure_leaves_a_record_to_go_on_from(storage, fault):
    with pytest.raises(type(fault)):
        run_step(storage, config(), PREPARE, Work(fault))
    record = find_record(storage, "demo", PREPARE)
    assert record is not None
    assert not record.done
    storage.write_bytes("demo/data/half", b"1")
    _, did_work = run_step(storage, config(), PREPARE, Work())
    assert did_work
    assert storage.exists("demo/data/half")


def test_an_unfinished_step_refuses_other_settings(storage):
    with pytest.raises(TrainingError):
        run_step(storage, config(), PREPARE, Work(TrainingError("lost")))
    with pytest.raises(StepConflictError, match="seed: 1 there, 2 now"):
        run_step(storage, config("seed=2"), PREPARE, Work())


def test_a_missing_earlier_step_names_the_command_that_makes_it(storage):
    work = Work()
    with pytest.raises(MissingStepError) as caught:
        run_step(storage, config(), BASE, work)
    assert str(caught.value) == (
        f"run 'demo' in {storage.locate('')} has no step 'prepare': "
        "run `nmt prepare run=demo` first."
    )
    assert work.calls == 0


def test_an_unfinished_earlier_step_is_missing_too(storage):
    with pytest.raises(TrainingError):
        run_step(storage, config(), PREPARE, Work(TrainingError("lost")))
    with pytest.raises(MissingStepError, match="has no finished step 'prepare'"):
        require(storage, "demo", PREPARE)


def test_a_run_that_is_not_there_is_answered_with_those_that_are(storage):
    finish(storage, PREPARE)
    with pytest.raises(MissingStepError, match=r"Runs there: demo\."):
        require(storage, "demmo", PREPARE)


def test_a_finished_step_is_what_require_returns(storage):
    finish(storage, PREPARE, output="digest")
    assert require(storage, "demo", PREPARE).output == "digest"


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"step": "prepare"}'])
def test_a_record_that_cannot_be_understood_is_a_storage_error_that_names_it(storage, content):
    storage.write_bytes("demo/data/step.json", content)
    with pytest.raises(StorageError, match=r"demo/data/step\.json"):
        find_record(storage, "demo", PREPARE)


@pytest.mark.parametrize("step", STEPS.values(), ids=lambda step: step.name)
def test_a_step_reads_settings_that_exist(step):
    for key in step.reads:
        assert config().settings(key), key


@pytest.mark.parametrize("step", STEPS.values(), ids=lambda step: step.name)
def test_where_a_run_is_and_how_many_work_on_it_decide_nothing(step):
    other = config("run=other", "storage=elsewhere", "scaling.cpus_per_worker=2")
    assert settings_of(step, config()) == settings_of(step, other)


def test_steps_stand_in_an_order_in_which_they_can_be_made():
    names = list(STEPS)
    for step in STEPS.values():
        assert all(names.index(name) < names.index(step.name) for name in step.after)


def filled_in(storage: Storage, step: Step, *words: str) -> Config:
    loaded = load_with_user_set(overrides=words)
    return inherit(storage, loaded.config, step, loaded.user_set)


def test_a_later_step_takes_the_settings_of_the_steps_it_builds_on(storage):
    made = config("data.target_language=hin_Deva", "model.max_source_tokens=64")
    run_step(storage, made, PREPARE, Work(output="one"))
    run_step(storage, made, BASE, Work(output="one"))
    inherited = filled_in(storage, TRAIN, "training.max_steps=70")
    assert inherited.data.target_language == "hin_Deva"
    assert inherited.model.max_source_tokens == 64
    assert inherited.training.max_steps == 70


@pytest.mark.parametrize("step", [TRAIN, TUNE, EVALUATE, EXPORT], ids=lambda step: step.name)
def test_no_step_forgets_the_languages_of_the_data(storage, step):
    run_step(storage, config("data.target_language=hin_Deva"), PREPARE, Work(output="one"))
    assert filled_in(storage, step).data.target_language == "hin_Deva"


def test_settings_that_contradict_an_earlier_step_are_refused_by_name(storage):
    run_step(storage, config("data.target_language=hin_Deva"), PREPARE, Work(output="one"))
    with pytest.raises(StepConflictError, match=r"data.target_language: 'hin_Deva' there"):
        filled_in(storage, TRAIN, "data.target_language=tam_Taml")


def test_the_same_settings_may_be_given_again(storage):
    words = ("data.target_language=hin_Deva", "seed=3")
    run_step(storage, config(*words), PREPARE, Work(output="one"))
    assert filled_in(storage, TRAIN, *words).seed == 3


def test_steps_of_another_run_are_not_asked(storage):
    run_step(storage, config("data.target_language=hin_Deva"), PREPARE, Work(output="one"))
    other = filled_in(storage, TRAIN, "run=other")
    assert other.data.target_language == "tam_Taml"
