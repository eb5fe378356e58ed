"""A storage root on which the engine of a run is rolled out, with reports that a test writes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nmt.cli.rollout_options import RolloutCommand as Command
from nmt.config import RolloutConfig
from nmt.rollout import Counts, RolloutRecord, command, look, running_rollout, start
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import PairCounts, ReplicaReport, Route, promote, read_traffic
from tests.support.runs.evaluated_run import evaluate, export
from tests.support.runs.summaries import BETTER

NAME, ROUTE, OWNER = "default", "eng_Latn-tam_Taml", "campaign/news"
BEGIN = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
QUICK = RolloutConfig(seconds_per_step=0, seconds_before_all=0)

CLEAN = {
    "broken": Counts(zero=800),
    "short": Counts(zero=800),
    "num": Counts(zero=200),
    "tail": Counts(zero=800),
    "latency_1.1": Counts(minus=40),
    "latency_1.3": Counts(minus=40),
}
"""Enough for an advance."""
HARM = CLEAN | {"broken": Counts(plus=80, zero=720)}
UNALIKE = CLEAN | {"tail": Counts(plus=80, zero=720)}


def quick_storage(root: object) -> Storage:
    """Leave the engines a and b, of runs of these names, of which a serves."""
    storage = Storage(str(root))
    for run in "ab":
        export(storage, run)
        evaluate(storage, run, BETTER)
    promote(storage, NAME, "a")
    return storage


@dataclass
class Rollouts:
    """The rollouts of an endpoint, at a time that the test sets."""

    storage: Storage
    now: datetime = BEGIN
    settings: RolloutConfig = QUICK
    owner: str = OWNER
    keep_route: bool = True
    replicas: list[str] = field(default_factory=lambda: ["r1"])

    def start(self, run: str = "b", **changes: object) -> RolloutRecord:
        settings = self.settings.model_copy(update=changes)
        return start(
            self.storage, NAME, run, settings, owner=self.owner, by="ann",
            keep_route=self.keep_route, now=self.now,
        )  # fmt: skip

    def running(self) -> RolloutRecord:
        found = running_rollout(self.storage, NAME, ROUTE)
        assert found
        return found

    def look(self, rollout_id: str | None = None) -> RolloutRecord:
        return look(self.storage, NAME, rollout_id or self.running().id, self.now)

    def command(self, do: Command, rollout_id: str | None = None) -> RolloutRecord:
        name = rollout_id or self.running().id
        return command(
            self.storage, NAME, name, do, by="ann", reason=f"to {do}", now=self.now
        )  # fmt: skip

    def report(
        self,
        counts: dict[str, Counts],
        replica: str = "r1",
        *,
        step: int | None = None,
        ended: bool = False,
        old_seconds: float = 0,
    ) -> None:
        """Leave the report of a replica about the running rollout."""
        record = self.running()
        seen = ReplicaReport(
            replica=replica,
            seen=self.now - timedelta(seconds=old_seconds),
            ended=ended,
            counts=tuple(
                PairCounts(
                    rollout=record.token, step=record.step if step is None else step,
                    route=ROUTE, stable=record.stable or "", other=record.engine, signal=signal,
                    plus=each.plus, zero=each.zero, minus=each.minus,
                    events_canary=each.events_canary, events_stable=each.events_stable,
                )
                for signal, each in counts.items()
            ),
        )  # fmt: skip
        path = layout.replica_report(NAME, replica)
        self.storage.write_json(path, seen.model_dump(mode="json"))

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    @property
    def route(self) -> Route:
        traffic = read_traffic(self.storage, NAME)
        assert traffic
        return traffic.route(ROUTE)
