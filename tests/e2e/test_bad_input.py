"""What a user may get wrong: exit code 2, one message with what to do, nothing of Python in it.

The real command in a process of its own. No Ray is started here; what is only known behind Ray is
tested in tests/ray.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import PROJECT

LINES_OF_A_SCREEN = 24
SENTENCES = [(f"House {n} has a door.", f"வீடு {n} க்கு ஒரு கதவு உள்ளது.") for n in range(40)]
TABLE = "en,ta\n" + "".join(f"{source},{target}\n" for source, target in SENTENCES)


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def nmt(*words: str, folder: Path, **environ: str) -> Answer:
    """Run the command in a folder of its own, where `storage` is `runs` as ever."""
    done = subprocess.run(
        [sys.executable, "-m", "ray_jobs.cli.main", *words],
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"},
            "PYTHONPATH": str(PROJECT),
            **environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def assert_refused(answer: Answer, *said: str) -> None:
    """Exit code 2, within the screen, and each of these words in the message."""
    shown = answer.out + answer.err
    assert answer.code == 2, shown
    assert answer.err.startswith("nmt: "), shown
    assert "Traceback" not in shown
    assert len(shown.splitlines()) <= LINES_OF_A_SCREEN, shown
    for word in said:
        assert word in answer.err, f"{word!r} is not in {answer.err!r}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run `mine`, prepared from good.csv."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "good.csv").write_text(TABLE, encoding="utf-8")
    answer = nmt("prepare", "run=mine", "data.path=good.csv", folder=folder)
    assert answer.code == 0, answer.err
    return folder


# Settings


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["traning.max_steps=3"], ["traning", "unknown key", "Did you mean 'training'"]),
        (["training.max_step=3"], ["training.max_step:", "'training.max_steps'"]),
        (["training.max_steps=many"], ["training.max_steps", "'many'", "integer"]),
        (["training.max_steps=0"], ["training.max_steps", "greater than 0", "'0'"]),
        (["training=5"], ["training: is a section", "set its keys"]),
        (["adapter.type=lora2"], ["adapter.type", "'lora2'", "'lora'"]),
        (["data.path"], ["'data.path' is not an override", "key=value"]),
        (["data.target_language=tam_Tamil"], ["data.target_language", "'tam_Taml'"]),
        (["data.target_language=xx_Yyyy"], ["data.target_language", "'xx_Yyyy'", "FLORES-200"]),
        (["data.target_language=eng_Latn"], ["source_language and target_language are both"]),
        (["run=My Run"], ["run:", "'My Run'"]),
        (["scaling.workers=2"], ["scaling.workers (2)", "strategy.type=ddp"]),
        (["storage=http://host/x"], ["storage=http://host/x", "s3://"]),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_rule(folder, words, said):
    assert_refused(nmt("prepare", *words, folder=folder), *said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("training: {max_steps: 5\n  a: : b\n", ["not valid YAML", "line 2"]),
        ("- run\n- storage\n", ["holds a list", "`key: value`"]),
        ("training: {max_step: 5}\n", ["training.max_step", "set in ", "'training.max_steps'"]),
    ],
    ids=["broken", "list", "wrong-key"],
)
def test_a_settings_file_that_cannot_be_used_is_named(folder, content, said):
    (folder / "my.yaml").write_text(content)
    assert_refused(nmt("prepare", "--config", "my.yaml", folder=folder), "my.yaml", *said)


@pytest.mark.parametrize("setting", ["strategy.type=deepspeed"])
def test_what_is_not_available_yet_is_a_valid_setting(folder, setting):
    assert nmt("config", "check", setting, folder=folder).code == 0


# Text


@dataclass(frozen=True)
class Bad:
    """A corpus that cannot be read, and what is said of it."""

    name: str
    content: bytes
    said: list[str]
    words: tuple[str, ...] = ()


def _jsonl(count: int) -> str:
    return "".join(f'{{"en": "{s}", "ta": "{t}"}}\n' for s, t in SENTENCES[:count])


def _tmx() -> str:
    units = "".join(
        f'<tu><tuv xml:lang="en"><seg>{s}</seg></tuv><tuv xml:lang="ta"><seg>{t}</seg></tuv></tu>\n'
        for s, t in SENTENCES
    )
    return f'<tmx version="1.4"><header/><body>\n{units}</body></tmx>'


BAD = [
    Bad("half.jsonl", (_jsonl(9) + '{"en": "House').encode(), ["line 10", "Correct or delete"]),
    Bad("array.json", b'[{"en": "a", "ta": "b"}, 5]', ["element 2", "5 is not a JSON object"]),
    Bad("empty.jsonl", b"", ["is empty", "name a file"]),
    Bad("head.csv", b"en,ta\n", ["contains no sentence pairs"]),
    Bad("bytes.jsonl", _jsonl(1).encode() + b'{"en": "caf\xe9"}', ["line 2", "UTF-8", "iconv -f"]),
    Bad("wide.csv", TABLE.encode("utf-16"), ["is UTF-16", "iconv -f UTF-16"]),
    Bad("columns.csv", b"id,score\n1,2\n", ["'id', 'score'", "data.source_column"]),
    Bad("ragged.csv", (TABLE + "a,b,c\n").encode(), ["line 42", "3 columns", "Quote"]),
    Bad("cut.tmx", _tmx().encode()[:1500], ["not well-formed XML", "line ", "copy the file again"]),
    Bad("tongues.tmx", _tmx().replace("ta", "si").encode(), ["tam_Taml", "si (40 units)"]),
    Bad("few.csv", TABLE[:150].encode(), ["at least 10", "give more text"]),
    Bad("one.txt", b"One side.\n", ["holds one language", "data.target_path"]),
    Bad("what.bin", b"x", ["suffix", "data.format"]),
    Bad("other.csv", TABLE.encode(), ["data.cleaning"], ("data.target_language=hin_Deva",
        "data.target_column=ta")),
    Bad("named.csv", TABLE.encode(), ["data.source_column", "'english'", "'en'"],
        ("data.source_column=english",)),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_corpus_that_cannot_be_used_is_named_with_the_place(folder, bad):
    (folder / bad.name).write_bytes(bad.content)
    answer = nmt("prepare", f"data.path={bad.name}", *bad.words, folder=folder)
    assert_refused(answer, *bad.said)
    assert bad.name in answer.err or "pairs read for train" in answer.err


def test_two_files_of_different_length_are_named_with_their_lines(folder):
    (folder / "a.en").write_text("one\ntwo\nthree\n")
    (folder / "b.ta").write_text("ஒன்று\nஇரண்டு\n")
    answer = nmt("prepare", "data.path=a.en", "data.target_path=b.ta", folder=folder)
    assert_refused(answer, "a.en has 3 lines", "b.ta has 2")


def test_a_missing_file_is_named_with_those_that_are_near(folder):
    assert_refused(
        nmt("prepare", "data.path=god.csv", folder=folder), "god.csv", "Did you mean 'good.csv'"
    )


def test_refused_text_leaves_the_name_of_the_run_free(folder):
    assert nmt("prepare", "data.path=gone.csv", folder=folder).code == 2
    assert nmt("prepare", "data.path=good.csv", folder=folder).code == 0


def test_training_without_validation_pairs_is_refused_before_anything_is_loaded(folder):
    none = "data.validation_fraction=0"
    assert nmt("prepare", "run=mine", "data.path=good.csv", none, folder=folder).code == 0
    assert_refused(nmt("train", "run=mine", folder=folder), "no validation pairs", none[:-2])


# A place that cannot be reached


def test_a_data_set_of_a_hub_that_cannot_be_reached_comes_with_ways_round_it(folder):
    answer = nmt(
        "prepare",
        "data.path=nobody/nothing",
        folder=folder,
        HF_ENDPOINT="http://127.0.0.1:1",
        HF_HOME=str(folder),
    )
    assert_refused(answer, "'nobody/nothing'", "cannot be reached", "local file")


def test_storage_that_cannot_be_made_is_named(folder):
    answer = nmt("prepare", "data.path=good.csv", "storage=good.csv/runs", folder=folder)
    assert_refused(answer, "storage=", "good.csv/runs", "cannot be created")


# Steps in the wrong order


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("base", "prepare"),
        ("tune", "prepare"),
        ("train", "prepare"),
        ("evaluate", "export"),
        ("export", "train"),
        ("promote", "export"),
        ("translate", "export"),
        ("serve", "export"),
    ],
)
def test_a_step_too_early_names_the_one_it_needs(folder, command, first):
    answer = nmt(command, "run=nope", folder=folder)
    assert_refused(answer, "'nope'", f"run `nmt {first} run=nope` first")


def test_a_run_that_is_not_there_comes_with_those_that_are(prepared):
    assert_refused(nmt("train", "run=mien", folder=prepared), "'mien'", "Runs there: mine")


def test_rollback_before_any_promotion_says_what_is_missing(folder):
    assert_refused(nmt("rollback", folder=folder), "no promoted engine", "nmt promote")


# A run that is there


def test_other_settings_under_the_same_name_are_listed_with_both_values(prepared):
    answer = nmt("prepare", "run=mine", "data.path=good.csv", "seed=3", folder=prepared)
    assert_refused(answer, "'mine'", "seed: 1 there, 3 now", "--restart", "run=NAME")


def test_restart_takes_other_settings(folder):
    words = ["prepare", "run=mine", "data.path=good.csv"]
    assert nmt(*words, folder=folder).code == 0
    assert nmt(*words, "seed=3", "--restart", folder=folder).code == 0


def test_changed_text_under_the_same_name_is_noticed(folder):
    words = ["prepare", "run=mine", "data.path=good.csv"]
    assert nmt(*words, folder=folder).code == 0
    (folder / "good.csv").write_text(f"{TABLE}One more.,இன்னும் ஒன்று.\n", encoding="utf-8")
    assert_refused(nmt(*words, folder=folder), "good.csv", "has changed", "--restart")
