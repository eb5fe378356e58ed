"""Batches for Appraise, and the scores that it exports.

An item of Appraise has one translation, so a row becomes as many items as it has translations.

Source: https://github.com/AppraiseDev/Appraise, Examples/ and ExportSystemScoresToCSV.
"""

import csv
import html
import io
import json
import re
from collections.abc import Iterator, Sequence

from nmt.errors import DataError, InputError
from nmt.ratings.batches import Key, labels_of
from nmt.ratings.design import Design
from nmt.ratings.protocols import LABELS
from nmt.ratings.sheets.cells import clean_text
from nmt.ratings.sheets.csv_sheet import decode
from nmt.ratings.sheets.line import Line, column_of
from nmt.ratings.sheets.table import ID

PROTOCOLS = ("da", "esa")
_DIRECT, _DOCUMENT = (9, 11), (12, 14)
"""Columns of an export of direct assessment and of documents, without and with batch numbers."""
_LATEST_SECONDS = 1e15
_TARGET = re.compile(rf"([a-z]+)-([{LABELS}])")


def write_batches(design: Design, key: Key) -> bytes:
    """Write a task for each rater.

    Raises:
        InputError: Appraise has no such protocol.
    """
    if design.protocol not in PROTOCOLS:
        raise InputError(
            f"--format appraise: is for --protocol {' and '.join(PROTOCOLS)}; {design.protocol} "
            "goes to csv, xlsx or pearmut"
        )
    is_document = design.protocol == "esa"
    tasks: list[object] = []
    number = 0
    for task, rater in enumerate(design.raters, start=1):
        items: list[object] = []
        for row in key.sheet(rater):
            for label, text in zip(labels_of(row), row.translations, strict=True):
                number += 1
                item = {
                    "itemID": number,
                    "itemType": "TGT",
                    "sourceID": row.id,
                    "sourceText": _shown(row.source, is_document=is_document),
                    "targetID": f"{row.id}-{label}",
                    "targetText": _shown(text, is_document=is_document),
                }
                if is_document:
                    item |= {"documentID": f"{row.id}-{label}", "isCompleteDocument": False}
                    item |= {"mqm": []}
                items.append(item)
        head = {"batchNo": task, "randomSeed": 0, "requiredAnnotations": 1}
        tasks.append({"items": items, "task": head})
    return (json.dumps(tasks, ensure_ascii=False, indent=1) + "\n").encode()


def write_manifest(design: Design, key: Key) -> bytes:
    """Write the manifest with which Appraise creates the campaign and its accounts."""
    source, target = (
        code.partition("_")[0] for code in (design.source_language, design.target_language)
    )
    name = f"ratings{design.code}x{key.batch}"
    count = len(design.raters)
    manifest = {
        "CAMPAIGN_URL": "http://127.0.0.1:8000/dashboard/sso/",
        "CAMPAIGN_NAME": name,
        "CAMPAIGN_KEY": name,
        "CAMPAIGN_NO": key.batch,
        "REDUNDANCY": 1,
        "TASKS_TO_ANNOTATORS": [[source, target, "uniform", count, count]],
        "TASK_TYPE": "Document" if design.protocol == "esa" else "Direct",
        "TASK_OPTIONS": "ESA" if design.protocol == "esa" else "",
    }
    return (json.dumps(manifest, indent=4) + "\n").encode()


def _shown(text: str, *, is_document: bool) -> str:
    # The page of documents takes texts for HTML, and that of direct assessment does not.
    return html.escape(clean_text(text), quote=False) if is_document else clean_text(text)


def is_export(content: bytes, place: str) -> bool:
    """Tell whether a CSV file is an export of Appraise, which has no row of names."""
    rows = _rows(content, place)
    return bool(rows) and len(rows[0]) in (*_DIRECT, *_DOCUMENT) and bool(_target(rows[0]))


def read_export(content: bytes, place: str) -> Iterator[Line]:
    """Read an export of scores; the last score of an item by a user counts.

    Raises:
        DataError: a line is not part of such an export.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    seconds: dict[tuple[str, str], float] = {}
    for number, row in enumerate(_rows(content, place), start=1):
        target = _target(row)
        if target is None or len(row) not in (*_DIRECT, *_DOCUMENT):
            raise DataError(f"{place}, line {number}: not a line of an export of Appraise for this")
        row_id, label = target
        key = (row[0], row_id)
        cells = found.setdefault(key, {ID: row_id})
        cells[column_of("score", label)] = row[6]
        times = row[7:9]
        if len(row) in _DOCUMENT:
            times = row[10:12]
            severities = _severities(row[9], f"{place}, line {number}")
            cells[column_of("minor", label)] = str(severities.count("minor"))
            cells[column_of("major", label)] = str(severities.count("major"))
        seconds[key] = seconds.get(key, 0.0) + _duration(times, f"{place}, line {number}")
    for (user, row_id), cells in found.items():
        taken = seconds[user, row_id]
        yield Line(f"{place}, row {row_id} of user {user}", cells, taken or None)


def _rows(content: bytes, place: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(decode(content, place), newline="")))
    except csv.Error as error:
        raise DataError(f"{place}: not a CSV file: {error}") from None
    return [row for row in rows if row]


def _target(row: Sequence[str]) -> tuple[str, str] | None:
    match = _TARGET.fullmatch(row[1]) if len(row) > 1 else None
    return (match[1], match[2]) if match else None


def _severities(text: str, place: str) -> list[str]:
    try:
        spans: object = json.loads(text)
        # Some versions write the list as text within JSON.
        spans = json.loads(spans) if isinstance(spans, str) else spans
    except (ValueError, RecursionError):
        raise DataError(f"{place}: the error spans are not JSON") from None
    if not isinstance(spans, list):
        raise DataError(f"{place}: the error spans are not a list")
    return [str(span.get("severity", "")).lower() for span in spans if isinstance(span, dict)]


def _duration(times: Sequence[str], place: str) -> float:
    try:
        begin, end = map(float, times)
    except ValueError:
        raise DataError(f"{place}: the times are not numbers") from None
    # Also not one of these: nan, inf.
    if not (abs(begin) < _LATEST_SECONDS and abs(end) < _LATEST_SECONDS):
        raise DataError(f"{place}: the times {begin:g} and {end:g} are not times in seconds")
    return max(end - begin, 0.0)
