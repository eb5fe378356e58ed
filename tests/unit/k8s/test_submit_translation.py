"""`nmt-k8s submit translate`: the same words as in a terminal, in a RayJob."""

import json
from urllib.parse import unquote

import pytest

from k8s.api.cluster import RAY_JOB
from nmt.cli.translation import TranslationOptions, read_option_words
from ray_jobs import supervise

PLACES = ("--input", "s3://bucket/mono.ta", "--output", "s3://bucket/a b.en")
JOB = ("submit", "translate", "--name", "job", "--detach", "run=back")


def entrypoint_words(cluster) -> list[str]:
    return cluster.objects["RayJob", "job"]["spec"]["entrypoint"].split()


def test_the_job_gets_the_options_and_the_settings(nmt_k8s, cluster):
    assert nmt_k8s(*JOB, *PLACES, "--nbest", "4", "--confidence", "--column", "ta") == 0
    words = entrypoint_words(cluster)
    parsed = supervise._parser().parse_args(words[3:])
    assert (parsed.steps, parsed.name) == (("translate",), "job")
    own = [word for word in map(unquote, parsed.words) if word.startswith("--")]
    assert read_option_words(own) == TranslationOptions(
        input="s3://bucket/mono.ta",
        output="s3://bucket/a b.en",
        column="ta",
        nbest=4,
        confidence=True,
    )
    assert "run=back" in parsed.words


def test_each_worker_gets_its_place_without_a_strategy(nmt_k8s, cluster):
    settings = ("scaling.workers=3", "scaling.cpus_per_worker=4")
    assert nmt_k8s(*JOB, *PLACES, *settings) == 0
    spec = cluster.objects["RayJob", "job"]["spec"]["rayClusterSpec"]
    assert spec["workerGroupSpecs"][0]["replicas"] == 3
    assert "strategy.type=ddp" in entrypoint_words(cluster)


def test_the_answer_may_be_json_and_the_place_a_url(nmt_k8s, capsys):
    assert nmt_k8s(*JOB, *PLACES, "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == {"name": "job", "namespace": "team"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give --input and --output"),
        (("--input", "a.ta"), "--output is not"),
        (("--input", "/home/me/a.ta", "--output", "b.en"), "--input /home/me/a.ta is not in the"),
        (("--input", "a.ta", "--output", "~/b.en"), "--output ~/b.en is not in the Pods"),
        (("--input", "s3://key:secret@b/a", "--output", "b.en"), "in front of its bucket"),
        ((*PLACES, "--nbest", "0"), "--nbest 0: must be at least 1"),
    ],
)
def test_what_cannot_work_is_refused_before_a_job_is_created(
    nmt_k8s, cluster, capsys, words, message
):
    assert nmt_k8s(*JOB, *words) == 2
    assert message in capsys.readouterr().err
    assert cluster.names(RAY_JOB) == []


def test_a_place_on_the_mounted_storage_is_accepted(nmt_k8s):
    assert nmt_k8s(*JOB, "--input", "/storage/mono", "--output", "translated/mono") == 0


def test_options_of_a_translation_are_refused_for_a_step(nmt_k8s, capsys):
    assert nmt_k8s("submit", "train", "--nbest", "2") == 2
    assert "--nbest is an option of translate, not of train" in capsys.readouterr().err


def test_a_place_is_not_taken_for_the_form_of_an_answer(nmt_k8s, capsys):
    with pytest.raises(SystemExit):
        nmt_k8s("list", "--output", "s3://bucket/out")
    assert "choose from text, yaml, json" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        TranslationOptions(),
        TranslationOptions("in", "out", "3", "english", 5, 8, True, True, 10, 4096),
    ],
)
def test_options_are_read_back_from_their_words(options):
    assert read_option_words(options.words()) == options
