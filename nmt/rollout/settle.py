"""The traffic file is brought to what the record of a rollout says, whoever calls next."""

from datetime import datetime

from nmt.rollout.follow import Displaced, follow
from nmt.rollout.record import RolloutRecord, change_rollout, read_existing
from nmt.rollout.transitions import displaced
from nmt.storage import Storage
from nmt.traffic import Traffic, change_traffic, read_traffic


def settle(storage: Storage, record: RolloutRecord, now: datetime) -> RolloutRecord:
    """Bring the traffic file to what a record says, and note in the record that it is there.

    Raises:
        InputError: the traffic file is another owner's.
        StorageError: the record or the traffic file is damaged.
    """
    while not (record.settled and not record.is_active):
        traffic = read_traffic(storage, record.endpoint)
        try:
            wanted = follow(record, traffic)
            if record.settled and wanted == traffic:
                return record
            # Where an ended rollout finds no traffic file, there is nothing to take it out of.
            followed = record if wanted is None else _write_traffic(storage, record)
        except Displaced as error:
            record = _displace(storage, record, str(error), now)
        else:
            record = _mark_settled(storage, followed)
    return record


def _write_traffic(storage: Storage, record: RolloutRecord) -> RolloutRecord:
    """Bring the traffic file to the newest record of a rollout, and return that record.

    Raises:
        Displaced: somebody else has changed the route.
    """
    applied = record

    def change(traffic: Traffic | None) -> Traffic:
        nonlocal applied
        # Read after the traffic file, which is replaced only if it is still the one that was
        # read: so a process that slept cannot bring back what another one has ended since.
        applied = read_existing(storage, record.endpoint, record.id)
        try:
            wanted = follow(applied, traffic)
        except Displaced:
            # The record is newer than this traffic file: what it says may have been written since.
            newer = read_traffic(storage, record.endpoint)
            if newer is None or newer == traffic:
                raise
            return newer  # it is not written, since the file has changed: this is called again
        if wanted is None:
            raise Displaced("the traffic file was deleted")
        return wanted

    change_traffic(storage, record.endpoint, change, owner=record.owner)
    return applied


def _mark_settled(storage: Storage, followed: RolloutRecord) -> RolloutRecord:
    def mark(current: RolloutRecord) -> RolloutRecord:
        # What has changed since then is not in the traffic file yet.
        is_same = current.serial == followed.serial
        return current.model_copy(update={"settled": True}) if is_same else current

    return change_rollout(storage, followed.endpoint, followed.id, mark)


def _displace(storage: Storage, record: RolloutRecord, why: str, now: datetime) -> RolloutRecord:
    def end(current: RolloutRecord) -> RolloutRecord:
        return displaced(current, why, now) if current.serial == record.serial else current

    return change_rollout(storage, record.endpoint, record.id, end)
