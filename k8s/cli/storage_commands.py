"""Commands on the storage root: logs of jobs whose Pods are gone, records, and traffic.

They run in any process that can reach the storage root: on this machine, or in a Pod.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from k8s.api.cluster import JsonObject
from k8s.cli.keys import run_keys
from k8s.cli.output import Output
from k8s.cli.traffic import promote, remove_route, rollback, show_traffic
from k8s.objects.storage_location import refuse_keys
from nmt.access.options import KeyCommand
from nmt.cli.durations import duration
from nmt.cli.table import table
from nmt.cli.traffic_options import PromotionOptions
from nmt.errors import InputError, MissingStepError, StorageError
from nmt.runs import layout
from nmt.runs.job_progress import JobProgress, latest_progress
from nmt.runs.records import Record, find_record, list_runs, result_of
from nmt.runs.steps import EXPORT, STEPS, AnyStep
from nmt.storage import Storage


@dataclass(frozen=True, slots=True)
class StorageCommand:
    """A command on the storage root, with the settings that it needs."""

    name: str
    """`logs`, `status`, `traffic`, `promote`, `rollback` or `keys`."""
    run: str = ""
    endpoint: str = "default"
    """`serving.name`."""
    job: str = ""
    """The RayJob whose log is read."""
    tail: int | None = None
    dry_run: bool = False
    """Print what would happen, and write nothing."""
    promotion: PromotionOptions = field(default_factory=PromotionOptions)
    """Options of `promote`."""
    public_key: str | None = None
    """Text of `serving.public_key`, whose private key must have signed what `promote` promotes."""
    route: str | None = None
    """Key of the route that `rollback` changes; None: the default one."""
    remove: str | None = None
    """Key of the route that `traffic` removes."""
    keys: KeyCommand | None = None
    """Options of `keys`."""

    def arguments(self, storage: str, form: str) -> list[str]:
        """Return the arguments with which another `nmt-k8s` runs this command on `storage`."""
        words = [self.name, *([self.job] if self.job else []), f"serving.name={self.endpoint}"]
        words += self.keys.words() if self.keys else []
        words += [f"run={self.run}"] if self.run else []
        words += ["--tail", str(self.tail)] if self.tail is not None else []
        words += self.promotion.words()
        words += [f"serving.public_key={self.public_key}"] if self.public_key is not None else []
        words += [f"--route={self.route}"] if self.route is not None else []
        words += [f"--remove={self.remove}"] if self.remove is not None else []
        return [*words, "--output", form, "--storage", storage]


def open_storage(url: str, command: StorageCommand) -> Storage:
    """Open a storage root, read-only unless the command writes.

    Raises:
        InputError: it cannot be opened.
    """
    refuse_keys(url)
    writes = command.name in ("promote", "rollback") or command.remove is not None
    if command.keys:
        writes = command.keys.writes
    return Storage(url, read_only=command.dry_run or not writes)


def run_on_storage(storage: Storage, command: StorageCommand, output: Output) -> None:
    """Run a command on an open storage root.

    Raises:
        InputError: the run, log or engine does not exist.
        StorageError: the root cannot be read or written.
    """
    _COMMANDS[command.name](storage, command, output)


def _logs(storage: Storage, command: StorageCommand, output: Output) -> None:
    lines = _find_log(storage, command).decode(errors="replace").splitlines()
    for line in lines if command.tail is None else lines[len(lines) - command.tail :]:
        output.log_line(line)


def _find_log(storage: Storage, command: StorageCommand) -> bytes:
    """Read a job's log from the run's folder."""
    # When the RayJob is gone, nothing says which run it worked on: search all of them.
    runs = [command.run] if command.run else storage.list("")
    for run in runs:
        path = layout.job_log(run, command.job)
        if storage.exists(path):
            return storage.read_bytes(path)
    raise InputError(
        f"job '{command.job}' no longer has a Pod, and has no log on the storage root "
        f"({storage.locate('')}): see `nmt-k8s list`"
    )


def _status(storage: Storage, command: StorageCommand, output: Output) -> None:
    records = {name: find_record(storage, command.run, step) for name, step in STEPS.items()}
    if not any(records.values()):
        runs = list_runs(storage)
        known = f"; runs there: {', '.join(runs)}" if runs else ""
        raise MissingStepError(
            f"run '{command.run}' is not on the storage root ({storage.locate('')}){known}"
        )
    jobs = latest_progress(storage, command.run)
    rows = [
        _row(storage, command.run, STEPS[name], record, jobs.get(name))
        for name, record in records.items()
    ]
    steps = {name: _as_json(record) for name, record in records.items() if record}
    text = table(("STEP", "STATE", "TOOK", "RESULT"), rows)
    output.answer({"run": command.run, "steps": steps}, text)


def _row(
    storage: Storage, run: str, step: AnyStep, record: Record | None, job: JobProgress | None
) -> Sequence[str]:
    if record is None:
        return (step.name, "-", "-", job.describe() if job else "")
    if not record.done:
        return (step.name, "unfinished", "-", job.describe() if job else "")
    text = _headline(storage, run, step, record)
    if record.taken_from:
        text += f" (taken from run {record.taken_from})"
    return (step.name, "done", duration(record.seconds), text.strip())


def _headline(storage: Storage, run: str, step: AnyStep, record: Record) -> str:
    """Summarize the result of a finished step in a few words."""
    # The record itself holds the digest of an engine, whichever release exported it.
    if step is EXPORT:
        return f"engine {record.output}"
    try:
        return result_of(storage, run, step, record).headline()
    # Another release may have written the result in another form.
    except StorageError:
        return "this nmt-k8s cannot read its result: see -o yaml"


def _as_json(record: Record) -> JsonObject:
    shown = asdict(record)
    # They are hundreds of lines; the run's report shows them.
    long = {"samples", "curve", "slices", "ngrams", "flags", "confidences"}
    shown["result"] = {key: value for key, value in record.result.items() if key not in long}
    return shown


def _traffic(storage: Storage, command: StorageCommand, output: Output) -> None:
    endpoint = command.endpoint
    if command.remove is not None:
        remove_route(storage, endpoint, command.remove, output, dry_run=command.dry_run)
    else:
        show_traffic(storage, endpoint, output)


def _promote(storage: Storage, command: StorageCommand, output: Output) -> None:
    run, endpoint, options = command.run, command.endpoint, command.promotion
    key = command.public_key
    promote(storage, run, endpoint, options, output, public_key=key, dry_run=command.dry_run)


def _rollback(storage: Storage, command: StorageCommand, output: Output) -> None:
    rollback(storage, command.endpoint, command.route, output, dry_run=command.dry_run)


def _keys(storage: Storage, command: StorageCommand, output: Output) -> None:
    keys = command.keys or KeyCommand("list")
    run_keys(storage, command.endpoint, keys, output, dry_run=command.dry_run)


_COMMANDS: Mapping[str, Callable[[Storage, StorageCommand, Output], None]] = {
    "logs": _logs,
    "status": _status,
    "traffic": _traffic,
    "promote": _promote,
    "rollback": _rollback,
    "keys": _keys,
}
