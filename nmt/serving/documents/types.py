"""What is stored of a document: what was asked for, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nmt.documents.document import ReadOptions, SegmentWarning, WarningKind

Status = Literal["waiting", "translating", "done", "failed", "cancelled"]

MAX_WARNINGS = 100
"""Number of warnings that are kept: they are for people, who read no more."""


class DocumentRequest(BaseModel):
    """What a client wants, in `request.json`; it never changes."""

    model_config = ConfigDict(frozen=True)

    id: str
    owner: str
    """Id of the API key; empty if the endpoint needs none."""
    client: str
    """Name by which one of the engines of a canary is chosen."""
    name: str
    """Of the file."""
    format: str
    route: str
    """Key of the route that translates it."""
    options: ReadOptions
    engine: str | None = None
    """Engine that the client has chosen: `stable`, `canary` or a digest."""
    glossary: Mapping[str, str] = Field(default_factory=dict)
    characters: int
    """Number of characters to translate."""
    created: datetime
    is_public: bool = False
    """Whether its id alone gives access to the translated file."""


class DocumentWarning(BaseModel):
    """A doubt about the translation of a sentence."""

    model_config = ConfigDict(frozen=True)

    kind: WarningKind
    path: str
    """Of its text in the document."""
    source: str

    @classmethod
    def of(cls, warning: SegmentWarning) -> "DocumentWarning":
        """Make the stored form of a warning."""
        return cls(kind=warning.kind, path=warning.path, source=warning.source)


class Lease(BaseModel):
    """The right of one worker to work on a document, as long as it renews it."""

    model_config = ConfigDict(frozen=True)

    holder: str
    """Random, so that no two workers have the same one."""
    renewals: int = 0
    """Others take the document over when this number stands still: clocks of machines differ."""


class DocumentState(BaseModel):
    """How far a document is, in `state.json`; replaced only by compare-and-swap."""

    model_config = ConfigDict(frozen=True)

    status: Status = "waiting"
    lease: Lease | None = None
    losses: int = 0
    """Number of workers that have ended without giving the document back."""
    engine: str | None = None
    """Digest of the engine of all its sentences."""
    slices: tuple[str, ...] = ()
    """Names of the files with the sentences that are translated."""
    sentences: int | None = None
    """Number of sentences to translate; None until the document has been read."""
    sentences_done: int = 0
    seconds_left: float | None = None
    warnings: tuple[DocumentWarning, ...] = ()
    error: str | None = None
    updated: datetime
    """When somebody has last changed the state."""
    expires: datetime | None = None
    """When the document is deleted; None until it has ended."""

    @property
    def has_ended(self) -> bool:
        """Tell whether nobody works on it any more."""
        return self.status in ("done", "failed", "cancelled")

    def ended(
        self, status: Status, now: datetime, hours: float, error: str | None = None
    ) -> "DocumentState":
        """Return the state of a document that has ended.

        Args:
            status: how it has ended.
            now: the time.
            hours: for which it is kept.
            error: why it has failed.
        """
        return self.model_copy(
            update={
                "status": status,
                "lease": None,
                "seconds_left": None,
                "error": error,
                "updated": now,
                "expires": now + timedelta(hours=hours),
            }
        )

    def waiting(self, now: datetime) -> "DocumentState":
        """Return the state of a document that anybody may go on with; its slices stay."""
        return self.model_copy(
            update={
                "status": "waiting",
                "lease": None,
                "losses": 0,
                "seconds_left": None,
                "error": None,
                "updated": now,
                "expires": None,
            }
        )


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it was when it was read."""

    request: DocumentRequest
    state: DocumentState
