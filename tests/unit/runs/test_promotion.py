"""An engine that is worse than its base is promoted only with a reason, which is kept."""

import pytest

from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import (
    InputError,
    MissingStepError,
    SignatureError,
    StorageError,
    WorseThanBaseError,
)
from nmt.storage import Storage
from nmt.traffic import promote, read_traffic, rollback
from nmt.traffic.promotion import promote_run
from tests.support.runs.evaluated_run import INPUTS, evaluate, export
from tests.support.runs.signed_run import leave_run, leave_signed_run, make_keys
from tests.support.runs.summaries import BETTER, UNSURE

PAIR = "eng_Latn-tam_Taml"


def forced(reason: str) -> PromotionOptions:
    return PromotionOptions(force=reason)


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with the engines a, b and c, of the runs of these names."""
    storage = Storage(str(tmp_path / "runs"))
    for name in "abc":
        export(storage, name)
    return storage


def test_an_engine_that_is_significantly_worse_than_its_base_is_refused(storage):
    evaluate(storage, "a")
    with pytest.raises(WorseThanBaseError) as refused:
        promote_run(storage, "a", "default")
    for part in ("run 'a'", "BLEU 20.00 -> 8.50", "chrF++ 50.00 -> 30.00", "p = 0.002", "--force"):
        assert part in str(refused.value)
    assert refused.value.exit_code == 2
    assert read_traffic(storage, "default") is None


@pytest.mark.parametrize("compared", [BETTER, UNSURE], ids=["better", "unsure"])
def test_an_engine_that_is_not_significantly_worse_is_promoted_without_a_remark(storage, compared):
    evaluate(storage, "a", compared)
    promoted = promote_run(storage, "a", "default")
    assert (promoted.traffic.route().stable, promoted.remark) == ("a", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"done": False}, "run 'a' is not evaluated"),
        ({"inputs": INPUTS | {"export": "another"}}, "is not of its present engine"),
        ({"inputs": INPUTS}, "is not of its present engine"),
    ],
)
def test_an_engine_without_an_evaluation_of_its_own_is_promoted_with_a_remark(
    storage, change, said
):
    evaluate(storage, "a", **change)
    promoted = promote_run(storage, "a", "default")
    assert promoted.traffic.route().stable == "a"
    assert said in promoted.remark
    assert "not known" in promoted.remark


def test_the_engine_is_judged_and_not_the_model_that_it_came_from(storage):
    evaluate(storage, "a", BETTER)
    record = storage.read_json("a/evaluation/step.json")
    tuned, engine = record["result"]["comparisons"]
    assert (tuned["system"], engine["system"]) == ("tuned", "engine")
    engine["difference"] = -11.5
    storage.write_json("a/evaluation/step.json", record)
    with pytest.raises(WorseThanBaseError):
        promote_run(storage, "a", "default")


def test_a_run_without_an_evaluation_is_promoted_with_a_remark(storage):
    assert "run 'a' is not evaluated" in promote_run(storage, "a", "default").remark


def test_a_reason_lets_a_worse_engine_be_promoted_and_is_kept_with_it(storage):
    evaluate(storage, "a")
    promoted = promote_run(storage, "a", "default", forced("  the base's\n licence has ended "))
    assert "the base's licence has ended" in promoted.remark
    pointer = read_traffic(storage, "default")
    assert pointer is not None
    assert pointer.route().forced == {"a": "the base's licence has ended"}


def test_a_reason_that_is_not_needed_is_not_kept_and_the_remark_says_so(storage):
    evaluate(storage, "a", BETTER)
    promoted = promote_run(storage, "a", "default", forced("just so"))
    assert "--force was not needed" in promoted.remark
    assert promoted.traffic.route().forced == {}


@pytest.mark.parametrize("reason", ["", " \n ", "a\x1b[2Jb", "\udcff"])
def test_an_empty_or_unprintable_reason_is_refused(storage, reason):
    evaluate(storage, "a")
    with pytest.raises(InputError, match="--force"):
        promote_run(storage, "a", "default", forced(reason))
    assert read_traffic(storage, "default") is None


def test_a_reason_stays_with_its_engine_through_promotion_and_rollback(storage):
    evaluate(storage, "a")
    promote_run(storage, "a", "default", forced("a test"))
    promote_run(storage, "b", "default")
    assert rollback(storage, "default").traffic.route().forced == {"a": "a test"}


def test_a_reason_is_forgotten_with_its_engine(storage):
    evaluate(storage, "b")
    promote_run(storage, "a", "default")
    promote_run(storage, "b", "default", forced("a test"))
    rollback(storage, "default")
    assert "forced" not in storage.read_json("serving/default/traffic.json")["routes"][PAIR]


def test_a_reason_is_forgotten_when_its_engine_turns_out_not_to_be_worse(storage):
    evaluate(storage, "a")
    promote_run(storage, "a", "default", forced("a test"))
    evaluate(storage, "a", BETTER)
    assert promote_run(storage, "a", "default").traffic.route().forced == {}


def test_a_rollback_is_never_refused(storage):
    promote(storage, "default", "a")
    promote(storage, "default", "b")
    evaluate(storage, "a")
    assert rollback(storage, "default").stable == "a"


def test_a_run_without_an_engine_is_refused(storage):
    with pytest.raises(MissingStepError, match="nmt export"):
        promote_run(storage, "d", "default")


def test_an_evaluation_that_cannot_be_read_is_refused_rather_than_ignored(storage):
    evaluate(storage, "a", result={"base": {}})
    with pytest.raises(StorageError, match=r"a/evaluation/step\.json.*nmt evaluate --restart"):
        promote_run(storage, "a", "default")


def test_an_evaluation_of_a_later_release_is_read(storage):
    evaluate(storage, "a")
    record = storage.read_json("a/evaluation/step.json")
    record["result"]["systems"]["base"]["size"] = "large"
    record["result"]["comparisons"][0]["method"] = "bootstrap"
    storage.write_json("a/evaluation/step.json", record)
    with pytest.raises(WorseThanBaseError):
        promote_run(storage, "a", "default")


# Canary and shadow


def test_an_engine_that_is_worse_than_its_base_is_no_canary_without_a_reason(storage):
    promote(storage, "default", "b")
    evaluate(storage, "a")
    with pytest.raises(WorseThanBaseError, match="--force"):
        promote_run(storage, "a", "default", PromotionOptions(canary=10))
    options = PromotionOptions(canary=10, force="a test")
    route = promote_run(storage, "a", "default", options).traffic.route()
    assert (route.stable, route.canary, route.percent) == ("b", "a", 10)
    assert route.forced == {"a": "a test"}


def test_the_reason_for_a_canary_is_forgotten_with_it(storage):
    promote(storage, "default", "b")
    evaluate(storage, "a")
    promote_run(storage, "a", "default", PromotionOptions(canary=10, force="a test"))
    assert rollback(storage, "default").traffic.route().forced == {}


def test_a_shadow_may_be_worse_than_its_base_since_it_answers_nobody(storage):
    promote(storage, "default", "b")
    evaluate(storage, "a")
    route = promote_run(storage, "a", "default", PromotionOptions(shadow=True)).traffic.route()
    assert (route.stable, route.shadow, route.forced) == ("b", "a", {})


def test_the_sentence_about_a_promotion_says_which_traffic_the_engine_gets(storage):
    promote(storage, "default", "b")
    said = [
        promote_run(storage, "a", "default", options, dry_run=True).text
        for options in (
            PromotionOptions(),
            PromotionOptions(canary=10),
            PromotionOptions(shadow=True),
            PromotionOptions(domain="medical"),
        )
    ]
    assert said == [
        f"endpoint 'default' would serve engine a of run a for {PAIR}",
        f"endpoint 'default' would let engine a of run a answer 10 % of the clients of {PAIR} "
        "as a canary",
        f"endpoint 'default' would let engine a of run a translate along for {PAIR} as a shadow",
        f"endpoint 'default' would serve engine a of run a for {PAIR}/medical",
    ]


def test_a_promotion_that_ends_a_rollout_says_so(storage):
    promote(storage, "default", "a")
    promote_run(storage, "b", "default", PromotionOptions(canary=10))
    assert "this ends canary b" in promote_run(storage, "c", "default").remark
    promote_run(storage, "b", "default", PromotionOptions(canary=10))
    assert "this ends" not in promote_run(storage, "b", "default").remark


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (PromotionOptions(canary=101), "--canary 101: give a percentage from 0 to 100"),
        (PromotionOptions(canary=1, shadow_percent=float("nan")), "--shadow-percent nan: give a"),
        (PromotionOptions(shadow_percent=10), "give it with --canary or --shadow"),
        (PromotionOptions(domain="A b"), "--domain 'A b'"),
    ],
)
def test_an_option_that_is_not_valid_is_refused_by_name(storage, options, said):
    with pytest.raises(InputError, match=said):
        promote_run(storage, "a", "default", options)
    assert read_traffic(storage, "default") is None


# Engines that must be signed


@pytest.mark.parametrize("options", [PromotionOptions(), PromotionOptions(shadow=True)])
def test_an_engine_that_is_not_signed_is_refused_by_an_endpoint_with_a_public_key(
    storage, tmp_path, options
):
    keys = make_keys(tmp_path)
    signed = leave_signed_run(storage, keys, "signed")
    promote_run(storage, "signed", "default", public_key=keys.public)
    leave_run(storage, "unsigned", weights=b"x")
    for dry_run in (True, False):
        with pytest.raises(SignatureError, match="is not signed"):
            promote_run(
                storage, "unsigned", "default", options, public_key=keys.public, dry_run=dry_run
            )
    traffic = read_traffic(storage, "default")
    assert traffic
    assert traffic.engines == (signed,)


def test_a_reason_does_not_replace_a_signature(storage, tmp_path):
    leave_run(storage, "unsigned")
    with pytest.raises(SignatureError):
        promote_run(
            storage, "unsigned", "default", forced("now"), public_key=make_keys(tmp_path).public
        )
    assert read_traffic(storage, "default") is None
