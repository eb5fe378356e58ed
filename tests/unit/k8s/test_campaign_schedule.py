"""New revisions by schedule, with the semantics of a CronJob."""

from datetime import UTC, datetime

import pytest

from k8s.objects.campaign.spec import Schedule
from k8s.operator.plan.schedule import latest_tick, next_tick
from nmt.errors import ConfigError
from tests.support.k8s.campaign_world import CONFIG, DATA, World

_HOUR, _DAY = 3600.0, 86_400.0


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _daily(**fields: object) -> Schedule:
    return Schedule.model_validate({"cron": "0 2 * * *", **fields})


def test_the_next_time_is_in_the_time_zone_of_the_schedule() -> None:
    schedule = _daily(timeZone="Asia/Kolkata")
    assert next_tick(schedule, _at("2026-03-01T00:00:00")) == _at("2026-03-01T20:30:00")


def test_a_time_that_the_clocks_skip_is_done_all_the_same() -> None:
    schedule = Schedule(cron="30 2 29 3 *", time_zone="Europe/Berlin")
    tick = next_tick(schedule, _at("2026-03-01T00:00:00"))
    assert _at("2026-03-29T00:00:00") < tick < _at("2026-03-30T00:00:00")


def test_of_several_missed_times_only_the_latest_counts() -> None:
    found = latest_tick(_daily(), _at("2026-03-01T03:00:00"), _at("2026-03-05T09:00:00"))
    assert found == _at("2026-03-05T02:00:00")


def test_a_time_that_was_answered_is_not_due_again() -> None:
    tick = _at("2026-03-05T02:00:00")
    assert latest_tick(_daily(), tick - 1, tick) == tick
    assert latest_tick(_daily(), tick, tick + 60) is None


def test_a_start_that_is_too_late_is_left_out() -> None:
    schedule, tick = _daily(startingDeadlineSeconds=600), _at("2026-03-05T02:00:00")
    assert latest_tick(schedule, 0, tick + 600) == tick
    assert latest_tick(schedule, 0, tick + 601) is None


def test_names_stand_for_five_fields() -> None:
    assert next_tick(Schedule(cron="@daily"), _at("2026-03-01T05:00:00")) == _at(
        "2026-03-02T00:00:00"
    )


@pytest.mark.parametrize("cron", ["0 2 * *", "0 0 2 * * *", "61 * * * *", "@often", "0 0 31 2 *"])
def test_a_schedule_that_no_time_fits_is_refused(cron: str) -> None:
    with pytest.raises(ConfigError, match=r"spec\.schedule\.cron"):
        next_tick(Schedule(cron=cron), 0)


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", "/etc/localtime"])
def test_a_time_zone_that_is_not_known_is_refused(zone: str) -> None:
    with pytest.raises(ConfigError, match=r"spec\.schedule\.timeZone"):
        next_tick(_daily(timeZone=zone), 0)


def _serve_first(world: World, **schedule: object) -> None:
    world.write_corpus("first")
    world.apply(config=CONFIG | DATA, schedule={"cron": "0 2 * * *", **schedule})
    assert world.run_until_rest().phase == "Served"
    assert len(world.record().revisions) == 1


def test_without_a_change_a_time_only_counts_as_answered(world: World) -> None:
    _serve_first(world)
    status = world.wait(_DAY)
    assert len(world.record().revisions) == 1
    assert status.last_schedule_time
    assert status.next_schedule_time
    assert status.next_schedule_time.hour == 2
    before = world.cluster.store.version
    world.wait(60)
    assert world.cluster.store.version == before


def test_new_data_waits_for_the_schedule(world: World) -> None:
    _serve_first(world)
    world.write_corpus("second")
    world.wait(60)
    assert len(world.record().revisions) == 1
    status = world.wait(_DAY)
    assert status.revision
    assert (status.revision.number, status.revision.trigger) == (2, "schedule")


def test_every_time_starts_a_revision_if_that_is_asked_for(world: World) -> None:
    _serve_first(world, onlyIfChanged=False)
    assert world.wait(_DAY).revision
    current = world.record().current
    assert current
    assert (current.number, current.trigger) == (2, "schedule")


def test_forbid_leaves_a_time_out_while_a_revision_works(world: World) -> None:
    _serve_first(world, onlyIfChanged=False)
    world.wait(_DAY)
    world.wait(_DAY)
    current = world.record().current
    assert current
    assert current.number == 2
    world.run_until_rest()
    world.wait(_HOUR)
    assert len(world.record().revisions) == 2


def test_replace_ends_the_revision_that_works(world: World) -> None:
    _serve_first(world, onlyIfChanged=False, concurrency="Replace")
    world.wait(_DAY)
    status = world.wait(_DAY)
    assert status.revision
    assert status.revision.number == 3
    assert world.record().revisions[1].outcome == "replaced"
    assert len(world.live_jobs()) == 1


def test_a_suspended_campaign_has_no_next_time(world: World) -> None:
    _serve_first(world)
    world.apply(suspend=True)
    assert world.wait(5).next_schedule_time is None


def test_a_bad_schedule_stalls_the_campaign(world: World) -> None:
    world.apply(schedule={"cron": "every day"})
    status = world.wait(5)
    assert status.phase == "Stalled"
    assert "spec.schedule.cron 'every day'" in status.message
    assert world.jobs() == []
