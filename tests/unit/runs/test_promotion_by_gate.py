"""An engine is promoted if the gate has accepted it, or with a reason that is kept."""

from typing import Any

import pytest

from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import NotAcceptedError
from nmt.runs.gate import GateVerdict
from nmt.storage import Storage
from nmt.traffic import promote, promotion, read_traffic
from nmt.traffic.promotion import promote_run
from tests.support.runs.evaluated_run import evaluate, export
from tests.support.runs.gate_record import leave_decision


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with engines a, b and c, of which b serves; a is worse than its base."""
    storage = Storage(str(tmp_path / "runs"))
    for name in "abc":
        export(storage, name)
    promote(storage, "default", "b")
    evaluate(storage, "a")
    return storage


def judge(
    storage: Storage, verdict: GateVerdict, *, engine: str = "a", baseline: str | None = "b"
) -> None:
    """Leave the decision of a gate in run a."""
    leave_decision(storage, "a", verdict, engine=engine, baseline=baseline)


def test_an_accepted_engine_is_promoted_whatever_its_base_scores(storage):
    judge(storage, "accept")
    promoted = promote_run(storage, "a", "default")
    assert promoted.traffic.route().stable == "a"
    assert promoted.remark == "the gate accepted it (gain: +1.50 chrF++)"
    assert promoted.traffic.route().forced == {}


@pytest.mark.parametrize(
    ("verdict", "said"), [("reject", "rejected its engine"), ("undecided", "could not decide on")]
)
@pytest.mark.parametrize("options", [PromotionOptions(), PromotionOptions(canary=5)])
def test_another_engine_is_refused_with_the_rule_that_decided(storage, verdict, said, options):
    judge(storage, verdict)
    with pytest.raises(NotAcceptedError) as refused:
        promote_run(storage, "a", "default", options)
    for part in (said, "gain: +1.50 chrF++", "--force"):
        assert part in str(refused.value)
    assert refused.value.exit_code == 2
    traffic = read_traffic(storage, "default")
    assert traffic is not None
    assert traffic.route().engines == ("b",)


def test_a_reason_lets_it_be_promoted_and_is_kept_with_the_engine(storage):
    judge(storage, "undecided")
    promoted = promote_run(storage, "a", "default", PromotionOptions(force="people like it"))
    assert promoted.traffic.route().forced == {"a": "people like it"}
    assert "promoted because: people like it" in promoted.remark


def test_a_reason_is_not_kept_where_the_gate_has_accepted(storage):
    judge(storage, "accept")
    promoted = promote_run(storage, "a", "default", PromotionOptions(force="people like it"))
    assert promoted.traffic.route().forced == {}
    assert "--force was not needed" in promoted.remark


@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_a_decision_against_another_engine_than_serves_has_to_be_made_again(storage, verdict):
    judge(storage, verdict, baseline="c")
    with pytest.raises(NotAcceptedError, match=r"engine c, but engine b serves now.*nmt gate"):
        promote_run(storage, "a", "default")


def test_a_decision_against_the_base_holds_only_while_nothing_serves(storage):
    judge(storage, "accept", baseline=None)
    with pytest.raises(NotAcceptedError, match="the base, but engine b serves now"):
        promote_run(storage, "a", "default")
    assert promote_run(storage, "a", "new").traffic.route().stable == "a"


def test_of_two_engines_that_were_accepted_against_the_same_one_the_second_is_judged_again(storage):
    judge(storage, "accept")
    leave_decision(storage, "c", "accept", engine="c", baseline="b")
    promote_run(storage, "a", "default")
    with pytest.raises(NotAcceptedError, match=r"but engine a serves now.*nmt gate run=c"):
        promote_run(storage, "c", "default")
    leave_decision(storage, "c", "accept", engine="c", baseline="a")
    assert promote_run(storage, "c", "default").traffic.route().stable == "c"


def test_an_engine_is_refused_if_another_one_is_promoted_while_it_is_judged(storage, monkeypatch):
    judge(storage, "accept")
    judged = promotion.judge_candidate

    def judge_slowly(*args: Any, **kwargs: Any) -> promotion.Candidate:
        candidate = judged(*args, **kwargs)
        promote(storage, "default", "c")
        return candidate

    monkeypatch.setattr(promotion, "judge_candidate", judge_slowly)
    with pytest.raises(NotAcceptedError, match="engine c was promoted to eng_Latn-tam_Taml while"):
        promote_run(storage, "a", "default")
    traffic = read_traffic(storage, "default")
    assert traffic is not None
    assert traffic.route().stable == "c"


def test_a_decision_on_an_earlier_export_of_the_run_counts_for_nothing(storage):
    judge(storage, "accept", engine="earlier")
    evaluate(storage, "a", done=False)
    assert "was not compared with engine b" in promote_run(storage, "a", "default").remark


def test_an_accepted_engine_can_be_promoted_again(storage):
    judge(storage, "accept")
    promote_run(storage, "a", "default")
    assert promote_run(storage, "a", "default").traffic.route().stable == "a"


def test_a_shadow_needs_no_decision(storage):
    judge(storage, "reject")
    route = promote_run(storage, "a", "default", PromotionOptions(shadow=True)).traffic.route()
    assert (route.stable, route.shadow) == ("b", "a")


def test_the_remedy_names_the_route_that_the_gate_has_to_look_at(storage):
    promote(storage, "law", "c", domain="legal")
    judge(storage, "accept")
    with pytest.raises(
        NotAcceptedError, match=r"nmt gate run=a serving\.name=law gate\.domain=legal"
    ):
        promote_run(storage, "a", "law", PromotionOptions(domain="legal"))
