"""Following the objects of one kind: a list, and then watches, with nothing missed between them."""

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
    ) -> None:
        """Prepare to follow.

        Args:
            cluster: where the objects are.
            kind: their kind.
            selector: their labels.
            note: what to remember of an object.
            on_change: called with the name and the note of an object that is new, has changed or is
                gone; it may be called though nothing has changed.
        """
        self._cluster = cluster
        self.kind = kind
        self._selector = selector
        self._note = note
        self._on_change = on_change
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
        version = ""
        next_page = ""
        while not version or next_page:
            page = self._cluster.page(self.kind, self._selector, limit=_PAGE, next_page=next_page)
            found |= {body["metadata"]["name"]: self._note(body) for body in page.items}
            version, next_page = page.resource_version, page.next_page
        before, self.notes = self.notes, found
        self._version = version
        # Those that vanished while nobody watched, and all others: any may have changed.
        for name, note in (before | found).items():
            self._on_change(name, note)

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
        name, note = body["metadata"]["name"], self._note(body)
        if gone:
            # Under the note of before, which may have been another one.
            note = self.notes.pop(name, note)
        else:
            self.notes[name] = note
        self._on_change(name, note)
