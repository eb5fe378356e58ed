import json
import random
from dataclasses import asdict
from pathlib import Path

import datasets
import pytest

from nmt.config import DataConfig
from nmt.data.fingerprint import fingerprint
from nmt.data.prepare import prepare
from nmt.data.saved import GENERAL_SPLITS, SPLITS, has_split, load_pairs
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.sentences import distinct_pairs

PAIRS = distinct_pairs(100)


def write(path: Path, pairs: list[Pair]) -> str:
    rows = ({"en": pair.source, "ta": pair.target} for pair in pairs)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def sources(folder: Path, split: str) -> set[str]:
    return {pair.source for pair in load_pairs(folder, split)}


def test_every_pair_is_written_to_one_split(tmp_path: Path) -> None:
    report = prepare(DataConfig(path=write(tmp_path / "x.jsonl", PAIRS)), 1, tmp_path / "out")
    assert report.sizes == {"train": 90, "validation": 5, "test": 5}
    written = [pair for split in SPLITS for pair in load_pairs(tmp_path / "out", split)]
    assert sorted(written, key=lambda pair: pair.source) == sorted(
        PAIRS, key=lambda pair: pair.source
    )


def test_the_data_set_is_one_that_datasets_reads(tmp_path: Path) -> None:
    prepare(DataConfig(path=write(tmp_path / "x.jsonl", PAIRS)), 1, tmp_path / "out")
    saved = datasets.DatasetDict.load_from_disk(str(tmp_path / "out" / "dataset"))
    assert saved.column_names == {
        split: ["source", "target", "corpus", "flags"] for split in SPLITS
    }


def test_the_report_is_written_beside_it(tmp_path: Path) -> None:
    pairs = [*PAIRS, Pair("Nothing here.", "")]
    report = prepare(DataConfig(path=write(tmp_path / "x.jsonl", pairs)), 1, tmp_path / "out")
    on_disk = json.loads((tmp_path / "out" / "cleaning.json").read_text())
    assert on_disk["inputs"]["train"] == asdict(report.inputs["train"])
    assert on_disk["inputs"]["train"]["read"] == 101
    assert on_disk["inputs"]["train"]["dropped"]["empty"]["count"] == 1
    assert on_disk["digest"] == report.digest


def test_the_order_of_the_file_changes_nothing(tmp_path: Path) -> None:
    shuffled = random.Random(1).sample(PAIRS, len(PAIRS))
    paths = {"x": PAIRS, "y": shuffled}
    digests = {
        prepare(
            DataConfig(path=write(tmp_path / f"{name}.jsonl", pairs)), 1, tmp_path / name
        ).digest
        for name, pairs in paths.items()
    }
    assert len(digests) == 1


@pytest.mark.parametrize(("seed", "pairs"), [(2, PAIRS), (1, PAIRS[1:])])
def test_another_seed_or_content_gives_another_digest(
    tmp_path: Path, seed: int, pairs: list[Pair]
) -> None:
    first = prepare(DataConfig(path=write(tmp_path / "x.jsonl", PAIRS)), 1, tmp_path / "out")
    other = prepare(DataConfig(path=write(tmp_path / "x.jsonl", pairs)), seed, tmp_path / "other")
    assert first.digest != other.digest


def test_pairs_that_are_equal_without_their_markup_are_duplicates(tmp_path: Path) -> None:
    marked = Pair(f"<i>{PAIRS[3].source}</i>", PAIRS[3].target)
    path = write(tmp_path / "x.jsonl", [*PAIRS, marked])
    report = prepare(DataConfig(path=path), 1, tmp_path / "out")
    assert report.inputs["train"].dropped["duplicate"].count == 1


def test_the_report_shows_three_shortened_examples_of_each_rule(tmp_path: Path) -> None:
    bad = [Pair(f"{number} " + "x" * 200, "") for number in range(5)]
    path = write(tmp_path / "x.jsonl", [*PAIRS, *bad])
    report = prepare(DataConfig(path=path), 1, tmp_path / "out")
    drops = report.inputs["train"].dropped["empty"]
    assert drops.count == 5
    assert [len(example["source"]) for example in drops.examples] == [120, 120, 120]


def test_given_splits_keep_their_order_and_all_pairs(tmp_path: Path) -> None:
    data = DataConfig(
        path=write(tmp_path / "x.jsonl", PAIRS[:80]),
        test_path=write(tmp_path / "t.jsonl", PAIRS[80:]),
    )
    report = prepare(data, 1, tmp_path / "out")
    assert report.sizes == {"train": 76, "validation": 4, "test": 20}
    assert load_pairs(tmp_path / "out", "test") == PAIRS[80:]


def test_train_pairs_that_share_a_sentence_with_given_splits_are_counted_leaks(
    tmp_path: Path,
) -> None:
    leaks = [
        Pair(PAIRS[90].source.upper(), "வேறு ஒரு வாக்கியம் இங்கே எழுதப்பட்டுள்ளது."),
        Pair("Something else is written in this sentence.", PAIRS[91].target),
    ]
    data = DataConfig(
        path=write(tmp_path / "x.jsonl", [*PAIRS[:80], *leaks]),
        validation_path=write(tmp_path / "v.jsonl", PAIRS[90:91]),
        test_path=write(tmp_path / "t.jsonl", PAIRS[91:92]),
    )
    report = prepare(data, 1, tmp_path / "out")
    assert report.inputs["train"].dropped["leak"].count == 2
    assert report.inputs["train"].kept == report.sizes["train"] == 80


def test_a_fraction_of_nothing_gives_no_split(tmp_path: Path) -> None:
    data = DataConfig(path=write(tmp_path / "x.jsonl", PAIRS), test_fraction=0)
    prepare(data, 1, tmp_path / "out")
    assert not has_split(tmp_path / "out", "test")
    assert has_split(tmp_path / "out", "validation")


def test_nothing_but_the_result_is_left_in_the_folder(tmp_path: Path) -> None:
    prepare(DataConfig(path=write(tmp_path / "x.jsonl", PAIRS)), 1, tmp_path / "out")
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        "cleaning.json",
        "dataset",
        "dropped.parquet",
    ]


def test_too_few_pairs_are_refused_with_what_was_dropped(tmp_path: Path) -> None:
    pairs = [*PAIRS[:9], *[Pair(f"Alone {number}", "") for number in range(4)]]
    with pytest.raises(DataError, match=r"of 13 pairs read for train, only 9 .*4 empty"):
        prepare(DataConfig(path=write(tmp_path / "x.jsonl", pairs)), 1, tmp_path / "out")


def test_a_few_pairs_are_enough_if_nothing_is_held_out(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", PAIRS[:2])
    data = DataConfig(path=path, validation_fraction=0, test_fraction=0)
    assert prepare(data, 1, tmp_path / "out").sizes == {"train": 2}


SWAPPED = [Pair(pair.target, pair.source) for pair in PAIRS]


def test_a_part_that_cleaning_empties_is_refused_with_an_example(tmp_path: Path) -> None:
    data = DataConfig(
        path=write(tmp_path / "x.jsonl", PAIRS),
        validation_path=write(tmp_path / "v.jsonl", SWAPPED),
    )
    expected = r"100 pairs read for validation, nothing is .*100 wrong_script"
    with pytest.raises(DataError, match=expected):
        prepare(data, 1, tmp_path / "out")


def test_test_pairs_with_swapped_sides_are_refused(tmp_path: Path) -> None:
    data = DataConfig(
        path=write(tmp_path / "x.jsonl", PAIRS), test_path=write(tmp_path / "t.jsonl", SWAPPED)
    )
    with pytest.raises(DataError, match=r"in 100 of 100 sentences the source is in the script of"):
        prepare(data, 1, tmp_path / "out")


def test_a_split_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    prepare(DataConfig(path=write(tmp_path / "x.jsonl", PAIRS)), 1, tmp_path / "out")
    with pytest.raises(DataError, match="'general_test'; it holds train, validation, test"):
        load_pairs(tmp_path / "out", "general_test")


def test_a_folder_without_prepared_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no prepared data"):
        load_pairs(tmp_path, "train")


def phrasebook(**settings: object) -> DataConfig:
    sizes = {"general_pairs": 200, "domain_pairs": 100}
    return DataConfig.model_validate({"phrasebook": sizes, **settings})


def test_the_phrasebook_gives_domain_and_general_splits(tmp_path: Path) -> None:
    report = prepare(phrasebook(), 1, tmp_path)
    assert list(report.sizes) == [*SPLITS, *GENERAL_SPLITS]
    assert set(report.inputs) == {"domain", "general"}


def test_no_general_sentence_is_in_the_domain(tmp_path: Path) -> None:
    prepare(phrasebook(), 1, tmp_path)
    domain = set().union(*(sources(tmp_path, split) for split in SPLITS))
    general = set().union(*(sources(tmp_path, split) for split in GENERAL_SPLITS))
    assert domain.isdisjoint(general)


def test_the_phrasebook_is_read_in_both_directions(tmp_path: Path) -> None:
    prepare(phrasebook(), 1, tmp_path / "a")
    prepare(phrasebook(source_language="ta", target_language="en"), 1, tmp_path / "b")
    tamil = {pair.target for split in SPLITS for pair in load_pairs(tmp_path / "a", split)}
    assert {pair.source for s in SPLITS for pair in load_pairs(tmp_path / "b", s)} == tamil


def test_other_languages_than_the_phrasebooks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"set data\.path"):
        prepare(phrasebook(target_language="hi"), 1, tmp_path)


def test_the_fingerprint_follows_the_bytes(tmp_path: Path) -> None:
    data = DataConfig(path=write(tmp_path / "x.jsonl", PAIRS))
    before = fingerprint(data)
    assert before == fingerprint(data)
    write(tmp_path / "x.jsonl", PAIRS[1:])
    assert before != fingerprint(data)


def test_the_fingerprint_covers_the_held_out_files(tmp_path: Path) -> None:
    path, test_path = write(tmp_path / "x.jsonl", PAIRS), write(tmp_path / "t.jsonl", PAIRS[:1])
    before = fingerprint(DataConfig(path=path, test_path=test_path))
    write(tmp_path / "t.jsonl", PAIRS[:2])
    assert before != fingerprint(DataConfig(path=path, test_path=test_path))


def test_the_fingerprint_of_a_folder_follows_its_visible_files(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", PAIRS)
    before = fingerprint(DataConfig(path=str(tmp_path)))
    (tmp_path / ".lock").write_text("x")
    assert fingerprint(DataConfig(path=str(tmp_path))) == before
    write(tmp_path / "test.jsonl", PAIRS)
    assert fingerprint(DataConfig(path=str(tmp_path))) != before


@pytest.mark.parametrize("path", [None, "owner/name", "gone/x.jsonl"])
def test_inputs_without_local_files_have_no_fingerprint(path: str | None) -> None:
    assert fingerprint(DataConfig(path=path)) is None


def parts(folder: Path) -> dict[str, str]:
    """Paths of three files that share no sentence."""
    return {
        "path": write(folder / "x.jsonl", PAIRS[:80]),
        "validation_path": write(folder / "v.jsonl", PAIRS[80:90]),
        "test_path": write(folder / "t.jsonl", PAIRS[90:]),
    }


def fault(settings: dict[str, str], folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepare(DataConfig.model_validate(settings), 1, folder / "out")
    return str(caught.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [("validation_path", "test_path"), ("path", "test_path"), ("path", "validation_path")],
)
@pytest.mark.parametrize("spelling", ["same", "relative", "dotted", "link", "hard link"])
def test_one_file_for_two_parts_is_refused_with_both_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str, spelling: str
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = parts(tmp_path)
    file = Path(settings[first])
    (tmp_path / "link.jsonl").symlink_to(file)
    (tmp_path / "hard.jsonl").hardlink_to(file)
    spelled = {
        "same": str(file),
        "relative": file.name,
        "dotted": f"../{tmp_path.name}/{file.name}",
        "link": "link.jsonl",
        "hard link": "hard.jsonl",
    }
    message = fault(settings | {second: spelled[spelling]}, tmp_path)
    assert f"data.{first} and data.{second} are the same file" in message


def test_one_target_text_for_two_parts_is_refused(tmp_path: Path) -> None:
    for name in ("x.en", "x.ta", "v.en", "t.en", "t.ta"):
        (tmp_path / name).write_text("a\nb\n")
    settings = {
        "path": str(tmp_path / "x.en"),
        "target_path": str(tmp_path / "x.ta"),
        "validation_path": str(tmp_path / "v.en"),
        "validation_target_path": str(tmp_path / "t.ta"),
        "test_path": str(tmp_path / "t.en"),
        "test_target_path": str(tmp_path / "t.ta"),
    }
    message = fault(settings, tmp_path)
    assert "data.validation_target_path and data.test_target_path are the same file" in message


@pytest.mark.parametrize("copied", [PAIRS[90:], PAIRS[92:95]])
def test_a_copy_of_the_test_pairs_is_refused_as_validation(
    tmp_path: Path, copied: list[Pair]
) -> None:
    settings = parts(tmp_path) | {"validation_path": write(tmp_path / "copy.jsonl", copied)}
    message = fault(settings, tmp_path)
    assert "every pair of data.validation_path shares a sentence with data.test_path" in message


def test_test_pairs_within_the_validation_are_refused(tmp_path: Path) -> None:
    settings = parts(tmp_path) | {"validation_path": write(tmp_path / "all.jsonl", PAIRS[80:])}
    message = fault(settings, tmp_path)
    assert "every pair of data.test_path shares a sentence with data.validation_path" in message


def test_a_single_split_for_two_parts_is_refused(tmp_path: Path) -> None:
    settings = parts(tmp_path)
    (tmp_path / "held").mkdir()
    write(tmp_path / "held" / "a.jsonl", PAIRS[80:])
    held = {"validation_path": str(tmp_path / "held"), "test_path": str(tmp_path / "held")}
    assert "every pair of data.validation_path" in fault(settings | held, tmp_path)


def test_a_folder_with_both_splits_serves_both(tmp_path: Path) -> None:
    settings = parts(tmp_path)
    (tmp_path / "held").mkdir()
    write(tmp_path / "held" / "dev.jsonl", PAIRS[80:90])
    write(tmp_path / "held" / "test.jsonl", PAIRS[90:])
    held = {"validation_path": str(tmp_path / "held"), "test_path": str(tmp_path / "held")}
    report = prepare(DataConfig.model_validate(settings | held), 1, tmp_path / "out")
    assert report.sizes == {"train": 80, "validation": 10, "test": 10}


def test_pairs_that_validation_and_test_share_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = parts(tmp_path) | {"validation_path": write(tmp_path / "v.jsonl", PAIRS[80:93])}
    prepare(DataConfig.model_validate(settings), 1, tmp_path / "out")
    assert (
        "3 of 13 pairs of data.validation_path share a sentence with data.test_path" in caplog.text
    )


def test_training_pairs_that_are_all_held_out_are_refused(tmp_path: Path) -> None:
    settings = parts(tmp_path) | {"path": write(tmp_path / "x.jsonl", PAIRS[90:])}
    message = fault(settings, tmp_path)
    assert "each of the 10 pairs read for train shares a sentence" in message
