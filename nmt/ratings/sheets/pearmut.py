"""Campaigns for Pearmut, and the annotations that it gives back.

Source: https://github.com/zouharvi/pearmut, README.md; version of 2026.
"""

import itertools
import json
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from nmt.errors import DataError, first_validation_error
from nmt.ratings.batches import Key, KeyRow, labels_of
from nmt.ratings.design import Design
from nmt.ratings.protocols import LEAST_MINUTES
from nmt.ratings.sheets.cells import clean_text
from nmt.ratings.sheets.csv_sheet import decode
from nmt.ratings.sheets.line import Line, column_of
from nmt.ratings.sheets.table import COMMENT, ID, SOURCE, TRANSLATION

_PROTOCOLS = {"esa": "ESA"}
"""All others are shown as Pearmut's DA, some with sliders of their own."""
_RESET = "__RESET__"
_OTHER_ITEMS = ("welcome_", "random_", "goodbye_")
# Pearmut shows a text that begins so as HTML.
_MEDIA = ("<audio ", "<video ", "<img ", "<iframe ")
_LONGEST_PAUSE_SECONDS = 60.0
"""Pearmut's own limit for the time between two actions."""


class _Span(BaseModel):
    severity: str | None = None


class _Response(BaseModel):
    """What a rater has given for one translation."""

    score: float | None = None
    sliders: dict[str, float | None] | None = None
    error_spans: list[_Span] = Field(default_factory=list[_Span])
    textfield: str | None = None


class _Item(BaseModel):
    item_id: str | None = None
    src: str = ""
    tgt: dict[str, str] = Field(default_factory=dict)


class _Action(BaseModel):
    time: FiniteFloat


class _Entry(BaseModel):
    """A line of Pearmut's log: a document that a rater has submitted."""

    model_config = ConfigDict(extra="ignore")

    user_id: str = ""
    item_i: int | str = ""
    annotation: list[dict[str, _Response] | None] | str
    """One for each item; null for an item that was skipped."""
    item: list[_Item] = Field(default_factory=list[_Item])
    actions: list[_Action] = Field(default_factory=list[_Action])
    comment: str = ""


def write_campaign(design: Design, key: Key) -> bytes:
    """Write a campaign in which each rater has a task of their own."""
    protocol = design.how
    info: dict[str, object] = {
        "assignment": "task-based",
        "protocol": _PROTOCOLS.get(protocol.name, "DA"),
        "users": list(design.raters),
        "instructions": protocol.instructions,
    }
    if protocol.name == "adequacy-fluency":
        info["sliders"] = [
            {"name": field.name, "min": field.low, "max": field.high, "step": 1}
            for field in protocol.fields
        ]
    if protocol.name == "post-editing":
        info |= {"sliders": [], "textfield": "prefilled"}
    if protocol.name == "pairwise":
        info["instructions"] = (
            "Give the better translation the higher score, and equally good ones the same score."
        )
    campaign = {
        "campaign_id": f"ratings-{design.code}-{key.batch}",
        "info": info,
        "data": [[[_item(row)] for row in key.sheet(rater)] for rater in design.raters],
    }
    return (json.dumps(campaign, ensure_ascii=False, indent=1) + "\n").encode()


def _item(row: KeyRow) -> dict[str, object]:
    return {
        "item_id": row.id,
        "src": _plain(row.source),
        "tgt": {
            label: _plain(text)
            for label, text in zip(labels_of(row), row.translations, strict=True)
        },
    }


def _plain(text: str) -> str:
    clean = clean_text(text)
    return f" {clean}" if clean.startswith(_MEDIA) else clean


def read_annotations(content: bytes, place: str) -> Iterator[Line]:
    """Read downloaded annotations, or the JSON lines of a campaign's log.

    The last submission of a row by a rater counts, as in Pearmut itself.

    Raises:
        DataError: it is not such a file.
    """
    latest: dict[tuple[str, str], Line] = {}
    of_document: dict[tuple[str, int | str], list[tuple[str, str]]] = {}
    for number, entry in enumerate(_entries(content, place), start=1):
        document = (entry.user_id, entry.item_i)
        if entry.annotation == _RESET:
            for row in of_document.pop(document, ()):
                latest.pop(row, None)
            continue
        for line in _lines(entry, f"{place}, entry {number}"):
            row = (entry.user_id, line.cells[ID])
            latest[row] = line
            of_document.setdefault(document, []).append(row)
    return iter(latest.values())


def _entries(content: bytes, place: str) -> Iterator[_Entry]:
    text = decode(content, place)
    try:
        try:
            # What the dashboard downloads: campaign -> entries.
            whole = json.loads(text)
            is_download = isinstance(whole, dict) and "annotation" not in whole
            plain = [entry for each in whole.values() for entry in each] if is_download else [whole]
        except json.JSONDecodeError:
            # Not `splitlines`: Pearmut writes U+2028 and the like as they are, within a text.
            plain = [json.loads(line) for line in text.split("\n") if line.strip()]
        for entry in plain:
            # A form, or an exercise, that is not part of what was written.
            if not str(entry.get("item_i", "")).startswith(_OTHER_ITEMS):
                yield _Entry.model_validate(entry)
    except ValidationError as error:
        problem = first_validation_error(error)
        raise DataError(f"{place}: not annotations of Pearmut: {problem}") from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise DataError(f"{place}: not annotations of Pearmut, since it is not such JSON") from None


def _lines(entry: _Entry, place: str) -> Iterator[Line]:
    annotation = entry.annotation
    if isinstance(annotation, str) or not entry.item or len(entry.item) != len(annotation):
        raise DataError(
            f"{place}: does not say which texts it is about: download the annotations from the "
            "dashboard of a Pearmut of 2026 or later"
        )
    seconds = _seconds([action.time for action in entry.actions])
    # Whoever submits has worked on it, if only for the moment that one logged action is.
    minutes = max((seconds or 0.0) / 60, LEAST_MINUTES)
    for item, answers in zip(entry.item, annotation, strict=True):
        if answers is None:
            continue
        cells = {ID: item.item_id or "", SOURCE: item.src, COMMENT: entry.comment}
        for label, text in item.tgt.items():
            cells[column_of(TRANSLATION, label)] = text
        for label, response in answers.items():
            cells |= _cells(label, response, answers, item.tgt.get(label, ""))
            cells[column_of("minutes", label)] = f"{minutes:.4f}"
        yield Line(place, cells, seconds, needs_text=True)


def _cells(
    label: str, response: _Response, all_responses: dict[str, _Response], shown: str
) -> dict[str, str]:
    """Return the fields of every protocol that a response may answer."""
    severities = [(span.severity or "").lower() for span in response.error_spans]
    edited = shown if response.textfield is None else response.textfield
    cells = {
        "score": _written(response.score),
        "minor": str(severities.count("minor")),
        "major": str(severities.count("major")),
        "post-edit": edited,
        **{name.lower(): _written(value) for name, value in (response.sliders or {}).items()},
    }
    scores = [each.score for each in all_responses.values()]
    if response.score is not None and None not in scores:
        better = sum(score is not None and score > response.score for score in scores)
        cells["rank"] = str(1 + better)
    return {column_of(name, label): cell for name, cell in cells.items()}


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"


def _seconds(times: Sequence[float]) -> float | None:
    pauses = itertools.pairwise(times)
    found = sum(min(max(after - before, 0.0), _LONGEST_PAUSE_SECONDS) for before, after in pauses)
    return found or None
