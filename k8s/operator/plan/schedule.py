"""Times of a schedule, with the semantics of a CronJob. Pure."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from k8s.objects.campaign.spec import Schedule
from nmt.errors import ConfigError

_MACROS: Mapping[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = 5


def check_schedule(schedule: Schedule) -> None:
    """Refuse a schedule that never fits.

    Raises:
        ConfigError: names the field, its value and the rule.
    """
    next_tick(schedule, 0.0)


def next_tick(schedule: Schedule, after: float) -> float:
    """Return the first time of a schedule after another time, both in seconds since 1970.

    Raises:
        ConfigError: the schedule is not valid.
    """
    return _step(schedule, after, backwards=False)


def latest_tick(schedule: Schedule, since: float, now: float) -> float | None:
    """Return the latest time of a schedule that is due; None if there is none.

    Of several times that were missed only the latest counts.

    Args:
        schedule: the schedule.
        since: latest time that was answered, in seconds since 1970.
        now: seconds since 1970.
    """
    # The search backwards leaves out its own start, and a time that is just now is due.
    tick = _step(schedule, int(now) + 1, backwards=True)
    deadline = schedule.starting_deadline_seconds
    is_too_late = deadline is not None and now - tick > deadline
    return None if tick <= since or is_too_late else tick


def _step(schedule: Schedule, start: float, *, backwards: bool) -> float:
    zone = _zone(schedule)
    fields = _MACROS.get(schedule.cron.strip(), schedule.cron).split()
    if len(fields) != _FIELDS:
        raise ConfigError(
            f"spec.schedule.cron '{schedule.cron}': give five fields (minute, hour, day of month, "
            f"month, day of week), or one of {', '.join(_MACROS)}"
        )
    try:
        times = CronSim(" ".join(fields), datetime.fromtimestamp(start, zone), reverse=backwards)
        return next(times).timestamp()
    except CronSimError as error:
        raise ConfigError(f"spec.schedule.cron '{schedule.cron}': {error}") from None
    except StopIteration:
        raise ConfigError(
            f"spec.schedule.cron '{schedule.cron}': no such time in the next 50 years"
        ) from None


def _zone(schedule: Schedule) -> ZoneInfo:
    try:
        return ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"spec.schedule.timeZone '{schedule.time_zone}': is not a time zone of the IANA "
            "database: give one such as UTC or Asia/Kolkata"
        ) from None
