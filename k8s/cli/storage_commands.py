"""Commands on the storage root: logs of jobs whose Pods are gone, records, and the traffic pointer.

They run wherever the root is at hand: here, or in a Pod beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from k8s.cli.output import Screen, duration, table
from k8s.objects.storage_location import refuse_keys
from nmt import traffic
from nmt.errors import InputError, MissingStepError
from nmt.runs.steps import STEPS, Record, find_record, log_path, runs_of
from nmt.storage import Storage
from nmt.traffic import ReplicaReport
from nmt.traffic.promotion import promote_run


@dataclass(frozen=True, slots=True)
class RootCommand:
    """A command, with what it needs of the settings."""

    name: str
    """`logs`, `status`, `traffic`, `promote` or `rollback`."""
    run: str = ""
    endpoint: str = "default"
    """`serving.name`."""
    job: str = ""
    """Whose log."""
    tail: int | None = None
    dry_run: bool = False
    """Say what would be, and write nothing."""
    force: str | None = None
    """Why an engine is promoted even if it is worse than its base."""

    def arguments(self, storage: str, form: str) -> list[str]:
        """The same command for another `nmt-k8s`, beside the storage root."""
        words = [self.name, *([self.job] if self.job else []), f"serving.name={self.endpoint}"]
        words += [f"run={self.run}"] if self.run else []
        words += ["--tail", str(self.tail)] if self.tail is not None else []
        # As one word: a reason that begins with a dash is not an option.
        words += [f"--force={self.force}"] if self.force is not None else []
        return [*words, "--output", form, "--storage", storage]


def open_root(url: str, command: RootCommand) -> Storage:
    """Open a storage root as far as a command needs it: a dry run and a look write nothing.

    Raises:
        InputError: it cannot be opened.
    """
    refuse_keys(url)
    writes = command.name in ("promote", "rollback") and not command.dry_run
    return Storage(url, read_only=not writes)


def run_here(storage: Storage, command: RootCommand, screen: Screen) -> None:
    """Run a command on a storage root that is at hand.

    Raises:
        InputError: what it asks for is not there.
        StorageError: the root cannot be read or written.
    """
    _COMMANDS[command.name](storage, command, screen)


def _logs(storage: Storage, command: RootCommand, screen: Screen) -> None:
    lines = _find_log(storage, command).decode(errors="replace").splitlines()
    for line in lines if command.tail is None else lines[len(lines) - command.tail :]:
        screen.line(line)


def _find_log(storage: Storage, command: RootCommand) -> bytes:
    """The log in the run's folder, or in any, when the RayJob that knew its run is gone."""
    runs = [command.run] if command.run else storage.list("")
    for run in runs:
        path = log_path(run, command.job)
        if storage.exists(path):
            return storage.read_bytes(path)
    raise InputError(
        f"job '{command.job}' has no Pod any more and no log on the storage root "
        f"({storage.locate('')}): see `nmt-k8s list`"
    )


def _status(storage: Storage, command: RootCommand, screen: Screen) -> None:
    records = {name: find_record(storage, command.run, step) for name, step in STEPS.items()}
    if not any(records.values()):
        runs = runs_of(storage)
        there = f"; runs there: {', '.join(runs)}" if runs else ""
        raise MissingStepError(
            f"run '{command.run}' is not on the storage root ({storage.locate('')}){there}"
        )
    rows = [_row(name, record) for name, record in records.items()]
    steps = {name: _plain(record) for name, record in records.items() if record}
    text = table(("STEP", "STATE", "TOOK", "RESULT"), rows)
    screen.answer({"run": command.run, "steps": steps}, text)


def _row(name: str, record: Record | None) -> Sequence[str]:
    if record is None:
        return (name, "-", "-", "")
    took = duration(record.seconds) if record.done else "-"
    try:
        result = _result(name, record)
    except (KeyError, TypeError, ValueError, AttributeError):  # a record of another release
        result = "its result cannot be read by this nmt-k8s: see -o yaml"
    return (name, "done" if record.done else "unfinished", took, result)


def _result(name: str, record: Record) -> str:
    """The one number to look at first."""
    result = record.result
    if not record.done:
        return ""
    if name == "prepare":
        return ", ".join(f"{part} {size}" for part, size in result["sizes"].items())
    if name == "tune":
        return f"best BLEU {result['best']['bleu']:.2f} of {len(result['trials'])} trials"
    if name == "train":
        base = result.get("base_bleu")
        before = "" if base is None else f"{base:.2f} -> "
        return f"BLEU {before}{result['best_bleu']:.2f} (validation) at step {result['best_step']}"
    if name == "evaluate":
        return f"BLEU {result['base']['bleu']:.2f} -> {result['best']['bleu']:.2f} (test)"
    return f"engine {record.output}" if name == "export" else ""


def _plain(record: Record) -> Mapping[str, Any]:
    kept = asdict(record)
    kept["result"] = {
        key: value for key, value in record.result.items() if key not in ("samples", "curve")
    }
    return kept


def _traffic(storage: Storage, command: RootCommand, screen: Screen) -> None:
    pointer = traffic.read_traffic(storage, command.endpoint)
    if pointer is None:
        raise InputError(
            f"endpoint '{command.endpoint}' has no promoted engine: run `nmt-k8s promote run=…`"
        )
    replicas, now = traffic.read_reports(storage, command.endpoint), datetime.now(UTC)
    text = [f"endpoint '{command.endpoint}' serves engine {pointer.stable}"]
    text += [f"before it: {', '.join(pointer.previous)}"] if pointer.previous else []
    text += [
        f"engine {digest} is worse than its base, and was promoted because: {reason}"
        for digest, reason in pointer.forced.items()
    ]
    text.append(_replica_table(replicas, now) if replicas else "no replica has reported yet")
    reports = [{**each.model_dump(mode="json"), "silent": each.is_silent(now)} for each in replicas]
    value = {"name": command.endpoint, **pointer.model_dump(mode="json"), "replicas": reports}
    screen.answer(value, "\n".join(text))


def _replica_table(replicas: Sequence[ReplicaReport], now: datetime) -> str:
    rows = [
        (each.replica, each.digest or "-", each.since or "-", _seen(each, now), _trouble(each, now))
        for each in replicas
    ]
    return table(("REPLICA", "ENGINE", "SINCE", "SEEN", "TROUBLE"), rows)


def _seen(report: ReplicaReport, now: datetime) -> str:
    age = report.age_seconds(now)
    return "-" if age is None else f"{duration(age)} ago"


def _trouble(report: ReplicaReport, now: datetime) -> str:
    if report.is_silent(now):
        return f"silent for {duration(report.age_seconds(now) or 0)}: gone, or loading an engine"
    if report.error:
        return report.error
    late = report.wanted not in (None, report.digest)
    return f"still loading {report.wanted}" if late else ""


def _promote(storage: Storage, command: RootCommand, screen: Screen) -> None:
    promoted = promote_run(
        storage, command.run, command.endpoint, command.force, dry_run=command.dry_run
    )
    verb = "would serve" if command.dry_run else "serves"
    text = f"endpoint '{command.endpoint}' {verb} engine {promoted.digest} of run {command.run}"
    value = {"name": command.endpoint, **promoted.traffic.model_dump(mode="json")}
    if promoted.remark:
        value["remark"] = promoted.remark
        text += f"\n{promoted.remark}"
    screen.answer(value, text)


def _rollback(storage: Storage, command: RootCommand, screen: Screen) -> None:
    pointer = traffic.rollback(storage, command.endpoint, dry_run=command.dry_run)
    verb = "would be" if command.dry_run else "is"
    text = f"endpoint '{command.endpoint}' {verb} back on engine {pointer.stable}"
    screen.answer({"name": command.endpoint, **pointer.model_dump(mode="json")}, text)


_COMMANDS: Mapping[str, Callable[[Storage, RootCommand, Screen], None]] = {
    "logs": _logs,
    "status": _status,
    "traffic": _traffic,
    "promote": _promote,
    "rollback": _rollback,
}
