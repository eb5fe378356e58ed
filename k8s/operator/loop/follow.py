"""Following the objects of one kind: a list, and then watches, with nothing missed between them."""

import hashlib
import json
from collections.abc import Callable

from k8s.api.cluster import Cluster, JsonObject, Kind, version_of
from k8s.api.errors import GoneError

_PAGE = 100  # whole objects are in memory for a page only


class Follower:
    """A note on each object of a kind, as far as the watch has come.

    Only the note stays in memory, not the object: who works on a name reads the object anew.
    """

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        selector: str,
        note: Callable[[JsonObject], str],
        on_change: Callable[[str, str], None],
        *,
        ignores_status: bool = False,
    ) -> None:
        """Prepare to follow.

        Args:
            cluster: where the objects are.
            kind: their kind.
            selector: their labels.
            note: what to remember of an object.
            on_change: called with the name and the note of an object that is new, has changed or is
                gone; it may be called though nothing has changed.
            ignores_status: do not call it if a watch tells that only the status has changed, and it
                is still there. Whoever writes a status would otherwise be woken by each write. The
                kind must have its status as a subresource, so that the server counts all other
                changes.
        """
        self._cluster = cluster
        self.kind = kind
        self._selector = selector
        self._note = note
        self._on_change = on_change
        self._ignores_status = ignores_status
        self._told: dict[str, str] = {}
        self._version = ""
        self.notes: dict[str, str] = {}
        """Name -> note."""

    def __contains__(self, name: object) -> bool:
        """Tell whether there is an object of that name."""
        return name in self.notes

    def follow(self, seconds: int = 240) -> bool:
        """List the objects if that is needed, and watch them until the server ends the watch.

        Args:
            seconds: for which the server is asked to watch.

        Returns:
            False if the server has forgotten where the watch was: the next call lists again.

        Raises:
            UnreachableError: the cluster does not answer; the next call goes on from here.
            ClusterError: the account may not do it, or the kind does not exist.
        """
        try:
            if not self._version:
                self._list()
            self._watch(seconds)
        except GoneError:
            self._version = ""
            return False
        return True

    def _list(self) -> None:
        found: dict[str, str] = {}
        told: dict[str, str] = {}
        version = ""
        next_page = ""
        while not version or next_page:
            page = self._cluster.page(self.kind, self._selector, limit=_PAGE, next_page=next_page)
            found |= {body["metadata"]["name"]: self._note(body) for body in page.items}
            told |= {body["metadata"]["name"]: _digest(body) for body in page.items}
            version, next_page = page.resource_version, page.next_page
        before, self.notes = self.notes, found
        self._version = version
        # Those that vanished while nobody watched, and all others: any may have changed.
        for name, note in (before | found).items():
            self._on_change(name, note)
        self._told = told

    def _watch(self, seconds: int) -> None:
        changes = self._cluster.watch(
            self.kind, self._selector, resource_version=self._version, seconds=seconds
        )
        for type, body in changes:
            if type != "BOOKMARK":
                self._tell(body, gone=type == "DELETED")
            # Only now, so that a change which could not be passed on comes again.
            self._version = version_of(body)

    def _tell(self, body: JsonObject, *, gone: bool) -> None:
        name, note, digest = body["metadata"]["name"], self._note(body), _digest(body)
        if gone:
            # Under the note of before, which may have been another one.
            note = self.notes.pop(name, note)
            self._told.pop(name, None)
            self._on_change(name, note)
            return
        self.notes[name] = note
        is_same = digest and digest == self._told.get(name)
        if self._ignores_status and is_same and body.get("status"):
            return
        self._on_change(name, note)
        self._told[name] = digest


def _digest(body: JsonObject) -> str:
    """Return what changes with everything but the status; empty if the server does not count."""
    metadata = body["metadata"]
    if "generation" not in metadata:
        return ""
    # These two change with the status too. The generation stands for the spec.
    kept = {k: v for k, v in metadata.items() if k not in ("resourceVersion", "managedFields")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
