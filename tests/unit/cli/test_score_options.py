import argparse

import pytest

from nmt.errors import InputError
from ray_jobs.cli.runner import add_options, parse
from ray_jobs.scoring.options import (
    ScoreFile,
    ScoringOptions,
    add_scoring_options,
    scoring_options,
    take_settings,
)


def read(*words: str) -> ScoringOptions:
    parser = argparse.ArgumentParser()
    add_options(parser)
    add_scoring_options(parser)
    return scoring_options(parse(parser, words))


ONE_SET = ("--source", "news.en", "--reference", "a.ta", "b.ta", "--language", "ta")


def test_a_test_set_may_have_several_references():
    options = read(*ONE_SET, "--reference", "c.ta", "--source-language", "de")
    assert options.references == ("a.ta", "b.ta", "c.ta")
    assert (options.language, options.source_language) == ("tam_Taml", "deu_Latn")


def test_systems_keep_their_order_over_several_options():
    options = read("--hypotheses", "nllb=b.ta", "google=a.ta", "--hypotheses", "base=c=d.ta")
    assert list(options.hypotheses.items()) == [
        ("nllb", "b.ta"),
        ("google", "a.ta"),
        ("base", "c=d.ta"),
    ]


def test_score_files_name_metric_system_and_test_set():
    options = read("--scores", "comet:google=a.tsv", "metricx:nllb:news=b:c.jsonl")
    assert options.scores == (
        ScoreFile("comet", "google", None, "a.tsv"),
        ScoreFile("metricx", "nllb", "news", "b:c.jsonl"),
    )


def test_settings_after_an_option_are_not_taken_for_its_files():
    parser = argparse.ArgumentParser()
    add_options(parser)
    add_scoring_options(parser)
    setting = "evaluation.bootstrap_samples=200"
    words = ["seed=3", *ONE_SET[:4], setting, "--hypotheses", "a=x", "seed=x", "data.path=b"]
    options = parse(parser, words)
    assert take_settings(options) == ["seed=3", setting, "data.path=b"]
    assert (options.reference, options.hypotheses) == (["a.ta"], ["a=x", "seed=x"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (ONE_SET[:-2], "--language is not given"),
        (ONE_SET[2:], "--reference is given, but --source is not"),
        ((*ONE_SET[:-1], "xyz"), "--language: 'xyz' is not a FLORES-200 or ISO 639 language code"),
        (("--hypotheses", "google.ta"), "write SYSTEM=FILE, such as google=google.ta"),
        (("--hypotheses", "google="), "write SYSTEM=FILE"),
        (("--hypotheses", "a=x", "a=y"), "names the system 'a' twice"),
        (("--hypotheses", "my system=x"), "'my system' cannot be the name of a system"),
        (("--scores", "comet=x"), "write METRIC:SYSTEM=FILE"),
        (("--scores", "comet:a:b:c=x"), "write METRIC:SYSTEM=FILE"),
        (("--scores", "bleu:a=x"), "'bleu' is computed by `nmt score` itself"),
        (("--scores", "bertscore:a=x"), "'bertscore' is not known"),
    ],
)
def test_options_that_make_no_sense_are_refused(words, message):
    with pytest.raises(InputError, match=message):
        read(*words)


def test_an_unknown_metric_to_compute_is_refused_by_the_parser(capsys):
    with pytest.raises(SystemExit):
        read("--with", "bertscore")
    assert "invalid choice" in capsys.readouterr().err
