"""How often each test set was used to decide, and what each use spent of its error rate."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import Field

from nmt.config import GateConfig
from nmt.evaluation.gate.decision import Budget
from nmt.runs import layout
from nmt.runs.gate import GateResult, GateVerdict
from nmt.runs.step_result import ResultPart
from nmt.storage import RecordKind, Storage

log = logging.getLogger(__name__)

_WORN_ACCEPTS = 5
_ROUNDING = 1e-9
_REMEDY = (
    "without it nobody knows how much error rate the test set has left: restore the file, or use a "
    "new test set"
)


class SetUse(ResultPart):
    """One use of a test set by a gate."""

    engine: str
    """Digest of the engine with its search."""
    baseline: str
    """The same of what it was compared with."""
    rules: str
    """Digest of the settings of the gate and of the sets that decide."""
    run: str
    error_rate: float
    """What the use spent."""
    verdict: GateVerdict | None = None
    """Null: the gate has not ended, or was killed."""
    by_people: bool = False
    """Whether people gave the verdict, where the rules left it open."""
    at: str = ""
    """When it began, in ISO 8601."""


class SetLedger(ResultPart):
    """All uses of a test set."""

    uses: tuple[SetUse, ...] = Field(default=())

    @property
    def spent(self) -> float:
        """Return the error rate that all uses together have spent."""
        return sum(use.error_rate for use in self.uses)

    @property
    def accepted(self) -> int:
        """Return the number of engines that were accepted on the set."""
        return sum(use.verdict == "accept" for use in self.uses)

    def position(self, wanted: SetUse) -> int | None:
        """Return the place of the use with the same engines and rules, if there is one."""
        for index, use in enumerate(self.uses):
            if (use.engine, use.baseline, use.rules) == (
                wanted.engine,
                wanted.baseline,
                wanted.rules,
            ):
                return index
        return None

    def with_use(self, wanted: SetUse) -> "SetLedger":
        """Add a use, or replace the one with the same engines and rules."""
        place = self.position(wanted)
        if place is None:
            return SetLedger(uses=(*self.uses, wanted))
        # What a use has spent and when stays as it was when it began, and so does an answer while
        # the same use is judged again.
        before = self.uses[place]
        if wanted.verdict is None or (before.by_people and wanted.verdict == "undecided"):
            return self
        return self._with_verdict(place, wanted.verdict, by_people=wanted.by_people)

    def _with_verdict(self, place: int, verdict: GateVerdict, *, by_people: bool) -> "SetLedger":
        changed = self.uses[place].model_copy(update={"verdict": verdict, "by_people": by_people})
        return SetLedger(uses=(*self.uses[:place], changed, *self.uses[place + 1 :]))

    def answered_by_people(self, number: int, verdict: GateVerdict) -> "SetLedger":
        """Record what people have decided about a use, counted from 1, or that they have not."""
        if not 1 <= number <= len(self.uses):
            return self
        return self._with_verdict(number - 1, verdict, by_people=verdict != "undecided")


_LEDGER = RecordKind(SetLedger, "the uses of a test set")


@dataclass(frozen=True, slots=True)
class Reservation:
    """A use of some test sets, of which nobody knows the answer yet."""

    use: SetUse
    budget: Budget
    numbers: Mapping[str, int]
    """Test set -> which of its uses this is, from 1."""
    remarks: tuple[str, ...] = ()


def reserve(
    storage: Storage, digests: Mapping[str, str], use: SetUse, settings: GateConfig
) -> Reservation:
    """Count a use of test sets before their scores are compared.

    A gate that is killed after that has used the sets too. The same engines by the same rules on
    the same sets are one use, however often they are compared.

    Args:
        storage: the storage root.
        digests: test set -> its digest; of the sets that decide.
        use: who uses them.
        settings: the rules of the gate.

    Raises:
        StorageError: the record of a set's uses is damaged.
    """
    use = use.model_copy(update={"at": datetime.now(UTC).isoformat(timespec="seconds")})
    numbers: dict[str, int] = {}
    used_up: dict[str, str] = {}
    remarks: list[str] = []
    error_rate = use.error_rate
    for name, digest in digests.items():
        ledger = _write(storage, digest, use)
        place = ledger.position(use)
        assert place is not None  # noqa: S101 - it was written
        numbers[name] = place + 1
        # The rate of the first call holds for a repeated one, so that it gives the same answer.
        error_rate = min(error_rate, ledger.uses[place].error_rate)
        spent = sum(each.error_rate for each in ledger.uses[: place + 1])
        if spent > settings.error_rate + _ROUNDING:
            used_up[name] = _explain_used_up(spent, place + 1, settings)
        elif ledger.accepted >= _WORN_ACCEPTS:
            remarks.append(
                f"{ledger.accepted} engines were accepted on {name}, which flatters the one that "
                "serves: take a new test set soon"
            )
    return Reservation(use, Budget(error_rate, used_up), numbers, tuple(remarks))


def settle(
    storage: Storage, digests: Sequence[str], reservation: Reservation, verdict: GateVerdict
) -> None:
    """Record the answer of a use."""
    for digest in digests:
        _write(storage, digest, reservation.use.model_copy(update={"verdict": verdict}))


def settle_by_people(storage: Storage, result: GateResult) -> None:
    """Record the answer of people about what the scores of a use left open.

    An engine that they accept counts among those that were accepted on its test sets, until
    corrected ratings leave it undecided.

    Raises:
        StorageError: the record of a set's uses is damaged.
    """
    for each in result.sets:
        if each.use:
            number, verdict = each.use, result.verdict
            _LEDGER.update(
                storage,
                layout.gate_uses(each.digest),
                lambda found, number=number, verdict=verdict: (
                    found or SetLedger()
                ).answered_by_people(number, verdict),
                _REMEDY,
            )


def _write(storage: Storage, digest: str, use: SetUse) -> SetLedger:
    return _LEDGER.update(
        storage,
        layout.gate_uses(digest),
        lambda found: (found or SetLedger()).with_use(use),
        _REMEDY,
    )


def _explain_used_up(spent: float, number: int, settings: GateConfig) -> str:
    return (
        f"its error rate is used up: with use {number} it would be {spent:.2%} of "
        f"{settings.error_rate:.2%}: give a new test set, or let people decide"
    )
