"""What the operator remembers of a campaign on the storage root.

The file is changed by compare-and-swap alone, and only from what the change was decided on: an
operator that was paused, while another one has taken over, changes nothing.
"""

from collections.abc import Callable
from typing import Self

from k8s.api.errors import ConflictError
from k8s.objects.campaign.spec import ActionKind
from k8s.operator.revision_record import RecordPart, RevisionRecord
from nmt.errors import DamagedRecordError, InputError, StorageError
from nmt.runs import layout
from nmt.storage import RecordKind, Storage

_MAX_REVISIONS = 50
"""More are kept only while their runs are there."""
_MAX_ACTIONS = 50
_REMEDY = (
    "take spec.action out of the campaign, or it is done again, and delete this one file: the "
    "operator goes on with the next number, and the runs on the storage root stay"
)


class DoneAction(RecordPart):
    """An action that was done."""

    id: str
    do: ActionKind
    result: str
    at: float
    """Seconds since 1970."""


class CampaignRecord(RecordPart):
    """All that the operator remembers of a campaign."""

    namespace: str = ""
    """That the campaign is in; empty: an older release has written the record."""
    release: str = ""
    """Of the operator that has last written it."""
    uid: str = ""
    """Of the object that it was last about."""
    revisions: tuple[RevisionRecord, ...] = ()
    """The latest ones and all whose runs are there, oldest first."""
    actions: tuple[DoneAction, ...] = ()
    """The latest ones, oldest first."""
    last_schedule: float | None = None
    """Time of the schedule that was last answered, in seconds since 1970."""

    @property
    def current(self) -> RevisionRecord | None:
        """Return the latest revision; None before the first one."""
        return self.revisions[-1] if self.revisions else None

    def is_of_another(self, namespace: str) -> bool:
        """Tell whether it is about a campaign of another namespace on the same storage root.

        One that an older release has written counts as that of any namespace.
        """
        return self.namespace not in ("", namespace)

    def runs_before(self, number: int) -> tuple[str, ...]:
        """List the runs of earlier revisions that were not deleted, the newest first."""
        earlier = (each for each in reversed(self.revisions) if each.number < number)
        return tuple(each.run for each in earlier if not each.removed)

    def has_done(self, action_id: str) -> bool:
        """Tell whether an action was done."""
        return any(each.id == action_id for each in self.actions)

    def with_started(self, revision: RevisionRecord, uid: str, engine: str | None) -> Self:
        """Add the next revision, which ends the one before it.

        Args:
            revision: the next one.
            uid: of the object.
            engine: of the revision before, if it has made one.
        """
        before = [
            each
            if each.outcome
            else each.model_copy(
                update={
                    "outcome": "replaced",
                    "engine": engine,
                    "ended": revision.started,
                    "message": f"revision {revision.number} has started instead",
                }
            )
            for each in self.revisions
        ]
        kept = _without_removed((*before, revision), _MAX_REVISIONS)
        return self.model_copy(update={"uid": uid, "revisions": kept})

    def with_revision(
        self, number: int, change: Callable[[RevisionRecord], RevisionRecord]
    ) -> Self:
        """Change the revision of a number, if it is there."""
        changed = tuple(change(each) if each.number == number else each for each in self.revisions)
        return self.model_copy(update={"revisions": changed})

    def with_action(self, action: DoneAction) -> Self:
        """Add an action."""
        return self.model_copy(update={"actions": (*self.actions, action)[-_MAX_ACTIONS:]})

    def with_schedule(self, tick: float) -> Self:
        """Remember that a time of the schedule was answered."""
        return self.model_copy(update={"last_schedule": tick})


def _without_removed(
    revisions: tuple[RevisionRecord, ...], most: int
) -> tuple[RevisionRecord, ...]:
    """Leave out the oldest revisions whose runs were deleted, until at most so many are left.

    A revision whose run is there stays in any case: nothing else knows what there is to delete.
    """
    removed = [each.number for each in revisions if each.removed]
    forgotten = set(removed[: max(0, len(revisions) - most)])
    return tuple(each for each in revisions if each.number not in forgotten)


CAMPAIGN_RECORD = RecordKind(CampaignRecord, "the record of a campaign")


def read_campaign_record(storage: Storage, name: str) -> CampaignRecord | None:
    """Read what is remembered of a campaign; None if there is nothing.

    Raises:
        StorageError: the file is damaged; says what to do.
    """
    return CAMPAIGN_RECORD.find(storage, layout.campaign(name), _REMEDY)


def change_campaign_record(
    storage: Storage,
    name: str,
    change: Callable[[CampaignRecord], CampaignRecord],
    expected: CampaignRecord,
) -> CampaignRecord:
    """Change what is remembered of a campaign; write nothing if nothing changes.

    Args:
        storage: the storage root.
        name: name of the campaign.
        change: makes the new record.
        expected: the record that the change was decided on; an empty one if there is none.

    Returns:
        The new record.

    Raises:
        ConflictError: the record is not the expected one: decide anew.
        StorageError: the file is damaged, or cannot be read or written.
    """
    changed = change(expected)
    if changed == expected:
        return expected

    def swap(found: CampaignRecord | None) -> CampaignRecord:
        check_record(name, found, expected)
        return changed

    return CAMPAIGN_RECORD.update(storage, layout.campaign(name), swap, _REMEDY)


def check_namespace(name: str, found: CampaignRecord, namespace: str) -> None:
    """Refuse a campaign whose name on the storage root belongs to another one.

    Raises:
        InputError: says which one, and what to do.
    """
    if found.is_of_another(namespace):
        raise InputError(
            f"campaign {name} of namespace {found.namespace} (release {found.release}) has this "
            "name on the same storage root: give the release of one of them a prefix of its own "
            "(storage.object.url), or this campaign another name"
        )


def check_record(name: str, found: CampaignRecord | None, expected: CampaignRecord) -> None:
    """Refuse to go on from an old record.

    Raises:
        ConflictError: another operator has changed it.
    """
    if (found or CampaignRecord()) != expected:
        raise ConflictError(f"another operator has changed the record of campaign {name}")


def known_campaigns(storage: Storage, namespace: str) -> list[str]:
    """List the campaigns that something is remembered of, those that are deleted too.

    Args:
        storage: the storage root.
        namespace: whose campaigns are listed.

    Raises:
        StorageError: the storage root cannot be read.
    """
    return [
        name
        for name in storage.list(layout.CAMPAIGNS)
        if not _is_surely_of_another(storage, name, namespace)
    ]


def _is_surely_of_another(storage: Storage, name: str, namespace: str) -> bool:
    try:
        return belongs_to_another(storage, name, namespace)
    except StorageError:
        # One record that cannot be read must not hide the others. A look at it says why.
        return False


def belongs_to_another(storage: Storage, name: str, namespace: str) -> bool:
    """Tell whether a name on the storage root is that of a campaign of another namespace.

    A damaged record may be anybody's, and the answer is no.

    Raises:
        StorageError: the record cannot be read now.
    """
    try:
        found = read_campaign_record(storage, name)
    except DamagedRecordError:
        return False
    return found is not None and found.is_of_another(namespace)
