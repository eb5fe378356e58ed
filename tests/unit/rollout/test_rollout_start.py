"""What a rollout begins with: the decision of the gate, and rules that stay as they are."""

import json

import pytest

from nmt.errors import NotAcceptedError
from nmt.rollout import RULES, Counts, RolloutRecord, start
from nmt.runs import layout
from nmt.runs.gate import LengthRatio
from nmt.traffic import UsualLength
from tests.support.rollouts import CLEAN, NAME, OWNER, QUICK, Rollouts
from tests.support.runs.gate_record import leave_decision

LENGTHS = LengthRatio(median=0.1, deviation=0.2)


def begin(rollouts: Rollouts, reason: str = "") -> RolloutRecord:
    return start(
        rollouts.storage, NAME, "b", QUICK, owner=OWNER, by="ann", reason=reason, now=rollouts.now
    )


def add_glossary(rollouts: Rollouts, name: str, target: str | None) -> None:
    path = f"{layout.glossaries(NAME)}/{name}.json"
    content = {"version": 1, "source_language": "eng_Latn", "terms": {"court": "நீதிமன்றம்"}}
    rollouts.storage.write_json(path, content | ({"target_language": target} if target else {}))


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
    assert not any("unusual length" in each for each in record.remarks)


def test_where_every_signal_can_be_measured_there_are_no_remarks(rollouts):
    leave_decision(
        rollouts.storage, "b", "accept", engine="b", baseline="a", lengths=LENGTHS
    )  # fmt: skip
    add_glossary(rollouts, "legal", "tam_Taml")
    record = begin(rollouts)
    assert (set(record.rules), record.remarks) == (set(RULES), ())


def test_without_usual_lengths_the_other_signals_share_the_weight_and_the_record_says_so(rollouts):
    record = begin(rollouts)
    assert "len" not in record.rules
    assert record.rules["broken"].weight == pytest.approx(0.20 / 0.85)
    assert "outputs of unusual length are not counted" in record.remarks[0]


def test_terms_are_counted_if_the_endpoint_has_a_glossary_for_the_languages(rollouts):
    add_glossary(rollouts, "legal", "tam_Taml")
    record = begin(rollouts)
    assert record.rules["glossary"].weight == pytest.approx(0.075 / 0.85)
    assert record.rules["num"].weight == pytest.approx(0.075 / 0.85)
    assert not any("glossary" in each for each in record.remarks)
    rollouts.report(CLEAN | {"glossary": Counts(plus=60, zero=100)})
    assert rollouts.look(record.id).state == "rolled_back"


@pytest.mark.parametrize("target", [None, "hin_Deva", "damaged"])
def test_without_a_glossary_numbers_keep_the_weight_and_the_record_says_so(rollouts, target):
    if target:
        add_glossary(rollouts, "legal", None if target == "damaged" else target)
    record = begin(rollouts)
    assert "glossary" not in record.rules
    assert record.rules["num"].weight == pytest.approx(0.15 / 0.85)
    assert any("missing terms of a glossary are not counted" in each for each in record.remarks)
    # Clients may send terms of their own.
    rollouts.report(CLEAN | {"glossary": Counts(plus=60, zero=100)})
    assert rollouts.look(record.id).state == "running"


def test_a_rollout_of_an_earlier_release_goes_on_without_the_signal(rollouts):
    add_glossary(rollouts, "legal", "tam_Taml")
    record = begin(rollouts)
    path = layout.rollout(NAME, record.id)
    content = json.loads(rollouts.storage.read_bytes(path))
    content["rules"].pop("glossary")
    content["rules"]["num"]["weight"] = 0.15
    rollouts.storage.write_json(path, {k: v for k, v in content.items() if k != "sha256"})
    rollouts.report(CLEAN | {"glossary": Counts(plus=60, zero=100)})
    found = rollouts.look(record.id)
    assert (found.state, "glossary" in found.evidence) == ("running", False)


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
