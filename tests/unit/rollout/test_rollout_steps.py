"""A rollout gives an engine its clients by steps, and takes them away if it does harm."""

from datetime import timedelta

import pytest

from nmt.config import RolloutConfig
from nmt.errors import InputError
from nmt.rollout import read_rollout
from nmt.runs import layout
from nmt.traffic import promote, rollback, start_canary
from tests.support.rollouts import CLEAN, HARM, NAME, OWNER, ROUTE, UNALIKE


def test_a_rollout_begins_with_the_first_share(rollouts):
    record = rollouts.start()
    route = rollouts.route
    assert (route.stable, route.canary, route.percent, route.step) == ("a", "b", 1, 0)
    assert (route.rollout, route.owner) == (record.token, OWNER)
    assert (record.state, record.percent, record.stable) == ("running", 1, "a")


def test_clean_counts_lead_to_all_clients_step_by_step(rollouts):
    record = rollouts.start()
    shares = []
    for _ in range(3):
        rollouts.report(CLEAN)
        record = rollouts.look()
        shares.append((record.percent, rollouts.route.percent))
    assert shares == [(10, 10), (50, 50), (100, 0)]
    assert (record.state, rollouts.route.stable, rollouts.route.previous) == (
        "promoted", "b", ("a",),
    )  # fmt: skip
    assert [event.what for event in record.events] == ["start", "advance", "advance", "promote"]


def test_harm_ends_the_canary_and_says_why(rollouts):
    rollouts.start()
    rollouts.report(HARM)
    record = rollouts.look()
    assert record.state == "rolled_back"
    assert record.reason.startswith("unusable outputs: 80 of 800 pairs only in the canary")
    assert (rollouts.route.stable, rollouts.route.canary) == ("a", None)


def test_a_rollback_stays_one(rollouts):
    name = rollouts.start().id
    rollouts.report(HARM)
    ended = rollouts.look()
    rollouts.later(days=2)
    assert rollouts.look(name) == ended
    for do in ("resume", "promote", "pause"):
        with pytest.raises(InputError, match="has ended"):
            rollouts.command(do, name)


def test_harm_of_an_earlier_step_still_counts(rollouts):
    rollouts.start()
    rollouts.report(CLEAN)
    assert rollouts.look().step == 1
    rollouts.report(HARM, step=0)
    assert rollouts.look().state == "rolled_back"


def test_an_advance_waits_for_its_time(rollouts):
    rollouts.start(seconds_per_step=3600.0)
    rollouts.report(CLEAN)
    record = rollouts.look()
    assert (record.step, record.reason) == (0, "less than 60 min at this step")
    rollouts.later(hours=1)
    rollouts.report(CLEAN)
    assert rollouts.look().step == 1


def test_the_last_step_before_all_clients_takes_longer(rollouts):
    rollouts.start(steps=(10, 100), seconds_before_all=86_400.0)
    rollouts.later(hours=23)
    rollouts.report(CLEAN)
    assert "less than 24 h 00 min at this step" in rollouts.look().reason
    rollouts.later(hours=1)
    rollouts.report(CLEAN)
    assert rollouts.look().state == "promoted"


def test_a_look_without_news_writes_nothing(rollouts):
    rollouts.start(seconds_per_step=3600.0)
    rollouts.report(CLEAN)
    rollouts.look()
    paths = layout.traffic(NAME), layout.rollout(NAME, rollouts.running().id)
    before = [rollouts.storage.read_versioned(path).token for path in paths]
    rollouts.later(minutes=1)
    rollouts.look()
    assert [rollouts.storage.read_versioned(path).token for path in paths] == before


def test_with_the_mode_direct_all_clients_get_the_engine_at_once(rollouts):
    assert rollouts.start(mode="direct").state == "promoted"
    assert (rollouts.route.stable, rollouts.route.previous) == ("b", ("a",))


def test_with_the_mode_manual_only_a_person_promotes(rollouts):
    rollouts.start(mode="manual")
    rollouts.report(CLEAN)
    record = rollouts.look()
    assert (record.state, record.step) == ("running", 0)
    assert "a person promotes it" in record.reason
    assert rollouts.command("promote").state == "promoted"


def test_with_the_mode_manual_harm_is_rolled_back_too(rollouts):
    rollouts.start(mode="manual")
    rollouts.report(HARM)
    assert rollouts.look().state == "rolled_back"


def test_the_first_engine_of_a_route_gets_all_clients(rollouts, tmp_path):
    rollouts.storage.delete(layout.traffic(NAME))
    record = rollouts.start()
    assert (record.state, record.stable, rollouts.route.stable) == ("promoted", None, "b")


def test_the_mode_none_is_refused(rollouts):
    with pytest.raises(InputError, match=r"rollout\.mode=none"):
        rollouts.start(mode="none")


# Who may do what


def test_the_same_start_goes_on_with_the_same_rollout(rollouts):
    first = rollouts.start()
    assert rollouts.start() == first


def test_a_promoted_engine_is_not_rolled_out_again_while_it_serves(rollouts):
    first = rollouts.start(mode="direct")
    assert rollouts.start() == first


def test_a_new_try_is_counted(rollouts):
    rollouts.start()
    rollouts.report(HARM)
    rollouts.look()
    again = rollouts.start()
    assert (again.tries, again.state, rollouts.route.rollout) == (2, "running", again.token)


def test_the_counts_of_an_earlier_try_do_not_count(rollouts):
    rollouts.start()
    rollouts.report(HARM)
    rollouts.look()
    rollouts.start()
    record = rollouts.look()
    assert (record.pairs, record.state) == (0, "running")


@pytest.mark.parametrize(
    "change",
    [
        lambda storage: promote(storage, NAME, "b"),
        lambda storage: start_canary(storage, NAME, "b", 50),
        lambda storage: rollback(storage, NAME),
    ],
    ids=["promote", "canary", "rollback"],
)
def test_nobody_else_changes_the_route(rollouts, change):
    rollouts.start()
    with pytest.raises(InputError, match="TranslationCampaign 'news'"):
        change(rollouts.storage)


def test_a_campaign_keeps_its_route_after_the_promotion(rollouts):
    rollouts.start(mode="direct")
    with pytest.raises(InputError, match="belongs to 'campaign/news'"):
        rollback(rollouts.storage, NAME)


def test_a_rollout_by_hand_gives_the_route_back(rollouts):
    rollouts.owner, rollouts.keep_route = "rollout/b", False
    rollouts.start()
    with pytest.raises(InputError, match="nmt rollout run=b"):
        rollback(rollouts.storage, NAME)
    rollouts.command("abort")
    promote(rollouts.storage, NAME, "b")
    assert rollouts.route.owner is None


def test_another_canary_on_the_route_is_refused(rollouts):
    start_canary(rollouts.storage, NAME, "b", 10)
    with pytest.raises(InputError, match="running canary"):
        rollouts.start()


def test_another_rollout_on_the_route_is_refused(rollouts):
    rollouts.start()
    rollouts.owner = "campaign/other"
    with pytest.raises(InputError, match="is in rollout"):
        rollouts.start()


def test_settings_are_those_of_the_start(rollouts):
    record = rollouts.start(shadow_percent=20.0)
    assert rollouts.route.shadow_percent == 20
    found = read_rollout(rollouts.storage, NAME, record.id)
    assert found
    assert isinstance(found.settings, RolloutConfig)
    assert found.settings.shadow_percent == 20
    assert found.started + timedelta(0) == rollouts.now
    assert found.route == ROUTE


def test_a_tail_only_pauses(rollouts):
    rollouts.start()
    rollouts.report(UNALIKE)
    assert (rollouts.look().state, rollouts.route.percent) == ("paused", 1)
