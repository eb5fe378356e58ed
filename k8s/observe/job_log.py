"""Reading of a job's log from its submitter Pods, each line once."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from k8s.api.cluster import Cluster, JsonObject
from k8s.observe.lookup import submitter_container, submitters
from nmt.errors import ClusterError, InputError

_PAUSE_SECONDS = 1.0
_DRAIN_SECONDS = 10.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_RAY = re.compile(
    r"^\S+ \S+\t(?:INFO|SUCC) (?:cli|sdk|dashboard_sdk|packaging|job_manager)\.py:\d+ -- "
)
_TRACEBACK = "Traceback (most recent call last):"
_RAY_BREAKS = re.compile(r'^  File ".*/bin/ray", line ')
_RAY_ENDS = re.compile(r"^\S+ \S+\tERR cli\.py:\d+ -- (?:-+|Job '.*' failed)$")


class LineDeduplicator:
    """A filter for lines that were read before, in spite of lost connections and submitter Pods.

    A new connection to the same Pod repeats the last second of the log. A new submitter Pod repeats
    the log of a surviving job from its beginning, up to the first line that was not seen before.
    """

    def __init__(self) -> None:
        self._pod = ""
        self._last = ""
        self._at_last = 0
        self._to_skip = 0
        self._resumed_at = ""
        self._catching_up = False
        self._seen: set[str] = set()

    def connect(self, pod: str) -> str:
        """Prepare for a connection to a Pod; return the time to read from, empty for all."""
        if pod != self._pod:
            # The first Pod repeats nothing.
            self._catching_up = bool(self._pod)
            self._pod, self._last, self._at_last = pod, "", 0
        self._resumed_at, self._to_skip = self._last, self._at_last
        # sinceTime takes whole seconds, so the last second arrives again and is filtered below.
        return f"{self._last[:19]}Z" if self._last else ""

    def text(self, line: str) -> str | None:
        """Remove the timestamp of a line; return None if the line was read before."""
        stamp, _, text = line.partition(" ")
        if self._repeats(_sortable(stamp)):
            return None
        if self._catching_up and text in self._seen:
            return None
        self._catching_up = False
        self._seen.add(text)
        return text

    def _repeats(self, at: str) -> bool:
        if self._resumed_at:
            if at < self._resumed_at:
                return True
            # Several lines may have the same timestamp: count how many of them were read.
            if at == self._resumed_at and self._to_skip:
                self._to_skip -= 1
                return True
            if at > self._resumed_at:
                self._resumed_at = ""
        if at > self._last:
            self._last, self._at_last = at, 0
        self._at_last += at == self._last
        return False


def _sortable(stamp: str) -> str:
    # The API writes as many digits as needed, so as text `…05.1Z` would come after `…05.12Z`.
    seconds, _, fraction = stamp.rstrip("Z").partition(".")
    return f"{seconds}.{fraction:<09}"


class LogTail:
    """A thread that passes the lines of a job's log to a function as they appear."""

    def __init__(self, cluster: Cluster, name: str, write: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._name = name
        self._write = write
        self._lines = LineDeduplicator()
        self._of_pod: dict[str, JobLineFilter] = {}
        self._ending = threading.Event()
        # A daemon, since a read that hangs must not keep the process from exiting.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def finish(self) -> None:
        """Read the rest of the log of a job that has ended."""
        self._ending.set()
        self._thread.join(_DRAIN_SECONDS)

    def _run(self) -> None:
        while True:
            # Read the flag before the log, so that one complete read follows the job's end.
            ending = self._ending.is_set()
            # The Pod may not exist yet or any more, or the connection may be lost: try again.
            with suppress(ClusterError, InputError):
                if not self._read():
                    return
            if ending:
                return
            self._ending.wait(_PAUSE_SECONDS)

    def _read(self) -> bool:
        """Pass on new lines; return False if their reader is gone."""
        pods = submitters(self._cluster, self._name)
        if not pods:
            return True
        name = pods[-1]["metadata"]["name"]
        since = self._lines.connect(name)
        job = self._of_pod.setdefault(name, JobLineFilter())
        for line in self._cluster.log(name, submitter_container(pods[-1]), since=since):
            text = self._lines.text(line)
            try:
                for found in [] if text is None else job.filter(text):
                    self._write(found)
            except BrokenPipeError:
                return False
        return True


class JobLineFilter:
    """A filter that removes the lines of Ray's own command from a submitter's log."""

    def __init__(self) -> None:
        self._over = False
        self._held: list[str] = []

    def filter(self, line: str) -> list[str]:
        """Take the next line of the log, and return the lines now known to be the job's."""
        plain = _COLOUR.sub("", line)
        # After its message about a failure, Ray repeats the end of the job's log; after a traceback
        # of its own, it only reports that the head is gone.
        self._over = self._over or bool(_RAY_ENDS.match(plain))
        self._over = self._over or bool(self._held and _RAY_BREAKS.match(plain))
        if self._over or _RAY.match(plain) or plain.startswith("Running entrypoint for "):
            return []
        lines = [*self._held, line]
        # The line after this header shows whether the traceback is the job's or Ray's.
        self._held = [lines.pop()] if plain == _TRACEBACK else []
        return lines


def last_lines(cluster: Cluster, pod: JsonObject, tail: int | None) -> Iterator[str]:
    """Yield the job's lines in the log of a submitter Pod, without timestamps."""
    lines = cluster.log(pod["metadata"]["name"], submitter_container(pod), tail=tail, follow=False)
    texts = (line.partition(" ")[2] for line in lines)
    job = JobLineFilter()
    yield from (found for text in texts for found in job.filter(text))
