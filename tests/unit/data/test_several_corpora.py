"""Several corpora and named test sets: what is held out, compared and screened."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from nmt.config import DataConfig
from nmt.config import TestSetConfig as SetConfig
from nmt.data.preparation.staging import map_here
from nmt.data.prepare import dry_run, prepare
from nmt.data.saved import SPLITS, load_pairs, split_batches
from nmt.errors import DataError
from nmt.text.pair import Pair
from tests.support.sentences import distinct_pairs

PAIRS = distinct_pairs(120)


def write(path: Path, pairs: list[Pair], **more: object) -> str:
    rows = ({"en": pair.source, "ta": pair.target} | more for pair in pairs)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def corpora(**named: object) -> DataConfig:
    return DataConfig.model_validate({"corpora": named})


def rows(folder: Path, split: str) -> list[dict[str, object]]:
    return pa.Table.from_batches(list(split_batches(folder, split))).to_pylist()


def dropped(folder: Path) -> list[dict[str, object]]:
    return parquet.read_table(folder / "dropped.parquet").to_pylist()


def test_each_pair_names_its_corpus(tmp_path: Path) -> None:
    data = corpora(
        news={"path": write(tmp_path / "n.jsonl", PAIRS[:60])},
        web={"path": write(tmp_path / "w.jsonl", PAIRS[60:])},
    )
    report = prepare(data, 1, tmp_path / "out")
    written = [row for split in SPLITS for row in rows(tmp_path / "out", split)]
    assert {row["source"] for row in written if row["corpus"] == "news"} == {
        pair.source for pair in PAIRS[:60]
    }
    assert {name: found.kept for name, found in report.inputs.items()} == {"news": 60, "web": 60}


def test_the_first_corpus_keeps_a_pair_that_two_have(tmp_path: Path) -> None:
    data = corpora(
        web={"path": write(tmp_path / "w.jsonl", PAIRS[:80])},
        news={"path": write(tmp_path / "n.jsonl", PAIRS[70:])},
    )
    report = prepare(data, 1, tmp_path / "out")
    assert report.inputs["web"].kept == 80
    assert report.inputs["news"].dropped["duplicate"].count == 10


def test_nothing_is_held_out_from_a_corpus_with_a_tag(tmp_path: Path) -> None:
    data = corpora(
        news={"path": write(tmp_path / "n.jsonl", PAIRS[:60])},
        back={"path": write(tmp_path / "b.jsonl", PAIRS[60:]), "tag": "<bt>"},
    )
    report = prepare(data, 1, tmp_path / "out")
    assert report.sizes == {"train": 114, "validation": 3, "test": 3}
    for split in ("validation", "test"):
        assert {row["corpus"] for row in rows(tmp_path / "out", split)} == {"news"}


def test_if_all_corpora_have_a_tag_pairs_are_held_out_from_all(tmp_path: Path) -> None:
    data = corpora(back={"path": write(tmp_path / "b.jsonl", PAIRS), "tag": "<bt>"})
    assert prepare(data, 1, tmp_path / "out").sizes == {"train": 108, "validation": 6, "test": 6}


def test_pairs_with_a_tag_that_share_a_sentence_with_held_out_ones_leak(tmp_path: Path) -> None:
    # Every sentence of the tests occurs in the corpus with the tag, with another target.
    others = distinct_pairs(240)[120:]
    shared = [Pair(pair.source, o.target) for pair, o in zip(PAIRS[:60], others, strict=False)]
    data = corpora(
        news={"path": write(tmp_path / "n.jsonl", PAIRS[:60])},
        back={"path": write(tmp_path / "b.jsonl", shared), "tag": "<bt>"},
    )
    report = prepare(data, 1, tmp_path / "out")
    held_out = report.sizes["validation"] + report.sizes["test"]
    assert report.inputs["back"].dropped["leak"].count == held_out
    sources = {row["source"] for row in rows(tmp_path / "out", "train")}
    assert sources.isdisjoint(pair.source for pair in load_pairs(tmp_path / "out", "test"))


def test_a_corpus_has_cleaning_rules_of_its_own(tmp_path: Path) -> None:
    data = corpora(
        news={"path": write(tmp_path / "n.jsonl", PAIRS[:60])},
        web={"path": write(tmp_path / "w.jsonl", PAIRS[60:]), "cleaning": {"max_words": 3}},
    )
    with pytest.raises(DataError, match=r"60 pairs read for web, nothing is .* 60 too_long"):
        prepare(data, 1, tmp_path / "out")


def test_pairs_with_a_low_or_missing_score_are_dropped_with_it(tmp_path: Path) -> None:
    path = tmp_path / "scored.tsv"
    scores = ["0.2", "1.05", "1.2"]
    lines = [f"{scores[n % 3]}\t{p.source}\t{p.target}" for n, p in enumerate(PAIRS)]
    path.write_text("score\ten\tta\n" + "\n".join(lines) + "\n")
    data = corpora(mined={"path": str(path), "score_column": "score", "min_score": 1.05})
    report = prepare(data, 1, tmp_path / "out")
    assert report.inputs["mined"].dropped["low_score"].count == 40
    first = dropped(tmp_path / "out")[0]
    assert first["rule"] == "low_score"
    assert first["value"] == "0.2"
    assert first["source"] == PAIRS[0].source


def test_one_file_for_two_corpora_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", PAIRS)
    with pytest.raises(DataError, match=r"data\.corpora\.a\.path and data\.corpora\.b\.path"):
        prepare(corpora(a={"path": path}, b={"path": path}), 1, tmp_path / "out")


def test_a_named_set_is_kept_out_of_the_training(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", PAIRS)
    sets = {"news": SetConfig(path=write(tmp_path / "set.jsonl", PAIRS[:10]))}
    report = prepare(DataConfig(path=path), 1, tmp_path / "out", sets=sets)
    assert report.inputs["train"].dropped["leak"].count == 10
    assert {row["value"] for row in dropped(tmp_path / "out")} == {"news"}
    assert report.screened["news"].pairs == 10
    assert set(report.sizes) == set(SPLITS)


def test_the_digest_of_a_named_set_follows_its_sentences(tmp_path: Path) -> None:
    digests = set()
    for name, pairs in {"a": PAIRS[:10], "b": PAIRS[:10], "c": PAIRS[:9]}.items():
        path = write(tmp_path / f"{name}.jsonl", PAIRS[10:])
        sets = {"news": SetConfig(path=write(tmp_path / f"set-{name}.jsonl", pairs))}
        report = prepare(DataConfig(path=path), 1, tmp_path / name, sets=sets)
        digests.add(report.screened["news"].digest)
    assert len(digests) == 2


def test_a_pair_of_a_named_set_is_never_dropped(tmp_path: Path) -> None:
    odd = [Pair("Short", "வேறு"), Pair("Short", "வேறு"), Pair("12", "12")]
    sets = {"odd": SetConfig(path=write(tmp_path / "set.jsonl", odd))}
    data = DataConfig(path=write(tmp_path / "x.jsonl", PAIRS))
    assert prepare(data, 1, tmp_path / "out", sets=sets).screened["odd"].pairs == 3


def test_a_dropped_pair_is_in_the_audit_with_its_place(tmp_path: Path) -> None:
    pairs = [*PAIRS[:50], Pair("Nothing here.", ""), *PAIRS[50:], PAIRS[3]]
    data = DataConfig(path=write(tmp_path / "x.jsonl", pairs))
    prepare(data, 1, tmp_path / "out")
    assert dropped(tmp_path / "out") == [
        {
            "corpus": "train",
            "line": 51,
            "rule": "empty",
            "value": None,
            "source": "Nothing here.",
            "target": "",
        },
        {
            "corpus": "train",
            "line": 122,
            "rule": "duplicate",
            "value": None,
            "source": PAIRS[3].source,
            "target": PAIRS[3].target,
        },
    ]


def test_the_examples_are_random_and_depend_on_the_seed(tmp_path: Path) -> None:
    empty = [Pair(pair.source, "") for pair in distinct_pairs(300)[120:]]
    path = write(tmp_path / "x.jsonl", [*PAIRS, *empty])
    shown = []
    for number, seed in enumerate((1, 1, 2)):
        report = prepare(DataConfig(path=path), seed, tmp_path / str(number))
        shown.append(
            [example["source"] for example in report.inputs["train"].dropped["empty"].examples]
        )
    assert shown[0] == shown[1] != shown[2]
    assert shown[0] != [pair.source for pair in empty[:3]]


def test_damaged_rows_are_in_the_report(tmp_path: Path) -> None:
    path = Path(write(tmp_path / "x.jsonl", PAIRS))
    path.write_text(path.read_text() + "{broken\n")
    report = prepare(DataConfig(path=str(path), max_bad_rows=1), 1, tmp_path / "out")
    assert report.inputs["train"].read == 120
    assert report.inputs["train"].bad_rows == 1
    assert "line 121" in report.inputs["train"].bad_examples[0]


def test_differing_numbers_are_counted_and_kept(tmp_path: Path) -> None:
    pairs = [
        *PAIRS,
        Pair(
            "In 1830 seven trains left this station in the morning.",
            "1740 இல் ஏழு ரயில்கள் காலையில் இந்த நிலையத்திலிருந்து புறப்பட்டன.",
        ),
    ]
    report = prepare(DataConfig(path=write(tmp_path / "x.jsonl", pairs)), 1, tmp_path / "out")
    assert report.inputs["train"].flagged["numbers_differ"].count == 1
    assert sum(flags.get("numbers_differ", 0) for flags in report.flagged.values()) == 1
    flagged = [row for split in SPLITS for row in rows(tmp_path / "out", split) if row["flags"]]
    assert [row["source"] for row in flagged] == [pairs[-1].source]


def test_a_dry_run_shows_shares_and_limits(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [*PAIRS, Pair("Nothing here.", "")])
    lines = dry_run(DataConfig(path=path), 1, tmp_path, {})
    assert lines[0] == "train: 121 pairs read, 120 kept"
    assert lines[1].split() == ["empty", "1", "0.83%"]
    assert any(line.strip().startswith("data.cleaning.max_ratio_deviation") for line in lines)


def test_where_the_pairs_are_cleaned_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", PAIRS)
    called: list[int] = []

    def elsewhere(blocks):
        called.append(len(blocks))
        return map_here(blocks)

    here = prepare(DataConfig(path=path), 1, tmp_path / "a", map_blocks=elsewhere)
    there = prepare(
        DataConfig(path=path, min_ray_pairs=100), 1, tmp_path / "b", map_blocks=elsewhere
    )
    assert called == [1]
    assert here == there


def numbered(count: int) -> list[Pair]:
    return [Pair(f"This is sentence number {n}.", f"இது வாக்கியம் எண் {n} ஆகும்.") for n in range(count)]


def test_a_trial_with_a_few_numbered_sentences_keeps_them(tmp_path: Path) -> None:
    data = DataConfig(path=write(tmp_path / "a.jsonl", numbered(150)))
    assert sum(prepare(data, 1, tmp_path / "out").sizes.values()) == 150


def test_of_many_numbered_sentences_one_is_kept(tmp_path: Path) -> None:
    data = DataConfig(path=write(tmp_path / "a.jsonl", [*numbered(150), *PAIRS]))
    assert sum(prepare(data, 1, tmp_path / "out").sizes.values()) == len(PAIRS) + 1
