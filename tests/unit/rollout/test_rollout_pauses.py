"""What pauses a rollout, who lets it go on, and who else may change its route."""

from nmt.rollout import read_rollout, rollouts_of, start
from nmt.runs import layout
from nmt.traffic import change_traffic, read_traffic
from tests.support.rollouts import CLEAN, HARM, NAME, OWNER, QUICK, ROUTE, UNALIKE


def test_a_pause_keeps_the_share_and_a_resumed_rollout_goes_on(rollouts):
    rollouts.start()
    assert rollouts.command("pause").pause_cause == "person"
    rollouts.report(CLEAN)
    assert (rollouts.look().state, rollouts.route.percent) == ("paused", 1)
    assert rollouts.command("resume").state == "running"
    assert rollouts.look().percent == 10


def test_harm_ends_a_paused_rollout_too(rollouts):
    rollouts.start()
    rollouts.command("pause")
    rollouts.report(HARM)
    assert rollouts.look().state == "rolled_back"


def test_the_tail_pauses_until_a_person_goes_on_and_then_no_more(rollouts):
    rollouts.start()
    rollouts.report(UNALIKE)
    record = rollouts.look()
    assert record.reason.startswith("outputs unlike the stable engine's: 80 of 800 pairs")
    assert rollouts.look().state == "paused"
    rollouts.command("resume")
    assert rollouts.look().percent == 10


def test_a_missing_report_pauses_until_it_comes(rollouts):
    rollouts.start()
    rollouts.report(CLEAN, old_seconds=121)
    record = rollouts.look()
    assert (record.state, record.pause_cause) == ("paused", "silent")
    assert "no report of r1" in record.reason
    rollouts.report(CLEAN)
    assert rollouts.look().percent == 10


def test_a_report_that_is_one_interval_late_pauses_nothing(rollouts):
    rollouts.start()
    rollouts.report(CLEAN, old_seconds=119)
    assert rollouts.look().percent == 10


def test_a_replica_that_has_ended_is_not_missing_and_its_counts_stay(rollouts):
    rollouts.start()
    rollouts.report(CLEAN, ended=True, old_seconds=9999)
    assert rollouts.look().percent == 10


def test_a_replica_without_counts_is_not_missing(rollouts):
    rollouts.start()
    rollouts.report(CLEAN)
    rollouts.report({}, "r2", old_seconds=9999)
    assert rollouts.look().percent == 10


def test_a_person_goes_on_without_a_replica_that_is_gone(rollouts):
    rollouts.start()
    rollouts.report(CLEAN, old_seconds=121)
    rollouts.look()
    rollouts.command("resume")
    assert rollouts.look().percent == 10


def test_a_damaged_report_pauses(rollouts):
    rollouts.start()
    rollouts.report(CLEAN)
    rollouts.storage.write_bytes(layout.replica_report(NAME, "r2"), b"{")
    assert rollouts.look().pause_cause == "silent"


def test_counts_that_are_gone_pause_until_a_person_goes_on(rollouts):
    rollouts.start(seconds_per_step=3600.0)
    rollouts.report(CLEAN)
    rollouts.look()
    rollouts.storage.delete(layout.replica_report(NAME, "r1"))
    assert rollouts.look().pause_cause == "lost"
    assert rollouts.look().state == "paused"
    rollouts.command("resume")
    assert rollouts.look().state == "running"


def test_counts_that_are_lost_in_a_pause_need_a_person_too(rollouts):
    rollouts.start(seconds_per_step=3600.0)
    rollouts.report(CLEAN)
    rollouts.look()
    rollouts.command("pause")
    rollouts.storage.delete(layout.replica_report(NAME, "r1"))
    record = rollouts.look()
    assert record.pause_cause == "lost"
    assert "reports that had counts of this rollout are gone" in record.reason
    assert rollouts.look() == record


def test_whoever_ends_another_pause_has_not_seen_that_a_replica_is_missing(rollouts):
    rollouts.start()
    rollouts.command("pause")
    rollouts.report(CLEAN, old_seconds=121)
    rollouts.look()
    rollouts.command("resume")
    record = rollouts.look()
    assert (record.pause_cause, record.percent) == ("silent", 1)
    assert "no report of r1" in record.reason


# Changes by others


def test_a_route_that_somebody_has_changed_by_hand_ends_the_rollout(rollouts):
    record = rollouts.start()

    def end(traffic):
        route = traffic.route(ROUTE).with_rollout_ended()
        return traffic.with_route(ROUTE, route)

    change_traffic(rollouts.storage, NAME, end, owner=OWNER)
    found = rollouts.look(record.id)
    assert found.state == "aborted"
    assert found.reason == "somebody else has changed the route: somebody has ended the canary"


def test_a_share_that_was_changed_by_hand_is_put_right(rollouts):
    rollouts.start()

    def change(traffic):
        return traffic.with_route(ROUTE, traffic.route(ROUTE).model_copy(update={"percent": 90}))

    change_traffic(rollouts.storage, NAME, change, owner=OWNER)
    rollouts.look()
    assert rollouts.route.percent == 1


def test_a_traffic_file_that_is_gone_ends_the_rollout(rollouts):
    record = rollouts.start()
    rollouts.storage.delete(layout.traffic(NAME))
    assert rollouts.look(record.id).state == "aborted"
    assert read_traffic(rollouts.storage, NAME) is None


def test_domains_have_rollouts_of_their_own(rollouts):
    first = rollouts.start()
    second = start(
        rollouts.storage, NAME, "b", QUICK, owner=OWNER, by="ann", domain="law-2", now=rollouts.now
    )
    assert (first.id, second.id) == (f"{ROUTE}-0001", f"{ROUTE}.law-2-0001")
    assert [each.id for each in rollouts_of(rollouts.storage, NAME, ROUTE)] == [first.id]
    assert read_rollout(rollouts.storage, NAME, second.id) == second
