"""What a rollout begins with: the decision of the gate, and rules that stay as they are."""

import json

import pytest

from nmt.errors import NotAcceptedError
from nmt.rollout import RolloutRecord, start
from nmt.runs import layout
from nmt.runs.gate import LengthRatio
from nmt.traffic import UsualLength
from tests.support.rollouts import NAME, OWNER, QUICK, Rollouts
from tests.support.runs.gate_record import leave_decision

LENGTHS = LengthRatio(median=0.1, deviation=0.2)


def begin(rollouts: Rollouts, reason: str = "") -> RolloutRecord:
    return start(
        rollouts.storage, NAME, "b", QUICK, owner=OWNER, by="ann", reason=reason, now=rollouts.now
    )


def write_card(rollouts: Rollouts, engine: str, **facts: str) -> None:
    languages = {"source_language": "eng_Latn", "target_language": "tam_Taml"}
    with rollouts.storage.commit(layout.engine(engine)) as folder:
        (folder / "engine.json").write_text(json.dumps(languages | facts))


def test_an_engine_that_the_gate_has_rejected_is_refused(rollouts):
    leave_decision(rollouts.storage, "b", "reject", engine="b", baseline="a")
    with pytest.raises(NotAcceptedError, match="the gate rejected its engine"):
        begin(rollouts)
    assert rollouts.route.canary is None


def test_a_reason_lets_it_be_rolled_out_and_is_kept(rollouts):
    leave_decision(rollouts.storage, "b", "reject", engine="b", baseline="a")
    record = begin(rollouts, "the old engine is withdrawn")
    assert record.forced == "the old engine is withdrawn"
    assert rollouts.route.forced == {"b": "the old engine is withdrawn"}


def test_the_usual_lengths_come_from_the_gate(rollouts):
    leave_decision(
        rollouts.storage, "b", "accept", engine="b", baseline="a", lengths=LENGTHS
    )  # fmt: skip
    record = begin(rollouts)
    assert rollouts.route.usual_length == UsualLength(engine="a", median=0.1, deviation=0.2)
    assert record.rules["len"].weight == pytest.approx(0.15)
    assert record.remarks == ()


def test_without_usual_lengths_the_other_signals_share_the_weight_and_the_record_says_so(rollouts):
    record = begin(rollouts)
    assert "len" not in record.rules
    assert record.rules["broken"].weight == pytest.approx(0.20 / 0.85)
    assert "outputs of unusual length are not counted" in record.remarks[0]


def test_the_lengths_are_forgotten_with_the_rollout(rollouts):
    leave_decision(
        rollouts.storage, "b", "accept", engine="b", baseline="a", lengths=LENGTHS
    )  # fmt: skip
    begin(rollouts)
    rollouts.command("abort")
    assert rollouts.route.usual_length is None


@pytest.mark.parametrize(
    ("facts", "kin"),
    [
        ({"run": "a"}, True),
        ({"run": "b", "base": "/data/runs/a/export/merged"}, True),
        ({"run": "b", "base": "facebook/nllb-200-distilled-600M"}, False),
        ({"run": "b", "base": "/data/runs/ca/export/merged"}, False),
    ],
)
def test_an_engine_that_comes_from_the_stable_one_has_stricter_rules(rollouts, facts, kin):
    write_card(rollouts, "a", run="a", base="facebook/nllb-200-distilled-600M")
    write_card(rollouts, "b", **facts)
    record = begin(rollouts)
    assert record.rules["short"].tolerance == (0.005 if kin else 0.02)
    assert any("comes from the stable one" in each for each in record.remarks) == kin


def test_a_record_of_a_later_release_is_read(rollouts):
    record = begin(rollouts)
    path = layout.rollout(NAME, record.id)
    content = json.loads(rollouts.storage.read_bytes(path))
    content.pop("sha256", None)
    content["settings"]["of_a_later_release"] = 1
    content["later"] = {"x": 1}
    content = {key: value for key, value in content.items() if not key.startswith("_")}
    rollouts.storage.write_json(path, content)
    assert rollouts.look().state == "running"
