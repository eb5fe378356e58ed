"""`POST /v1/feedback`: what it stores, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from nmt.serving.feedback.rows import Feedback, Kind, read_rows
from nmt.serving.feedback.store import FeedbackStore
from nmt.storage import Storage
from tests.support.web import CONFIG, FakeTranslator, assert_error, call

RATED = {
    "text": "One.",
    "translation": "ஒன்று",
    "source": "en",
    "target": "tam_Taml",
    "engine": "d1",
    "rating": "good",
}


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path))


def send(
    storage: Storage | None, given: dict[str, Any] | None = None, **values: Any
) -> httpx.Response:
    store = FeedbackStore(storage, "web", "r1") if storage else None
    body = {name: value for name, value in {**RATED, **values}.items() if value is not None}
    # As httpx would refuse a lone surrogate, unlike other clients.
    content = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    return call(
        FakeTranslator(),
        lambda client: client.post("/v1/feedback", content=content, headers=headers),
        CONFIG,
        feedback=store,
        **(given or {}),
    )


def stored(storage: Storage, kind: Kind) -> list[Feedback]:
    return list(read_rows(storage, "web", kind))


def test_a_rating_is_stored_with_its_engine_and_text(storage: Storage) -> None:
    response = send(storage, request_id="r-7", domain="medical")
    assert response.status_code == 200
    (row,) = stored(storage, "ratings")
    assert response.json() == {"id": row.id}
    assert (row.source, row.target, row.rating) == ("One.", "ஒன்று", "good")
    assert (row.source_language, row.target_language) == ("eng_Latn", "tam_Taml")
    assert (row.engine, row.request_id, row.domain) == ("d1", "r-7", "medical")
    assert stored(storage, "corrections") == []


def test_a_correction_is_the_target_of_its_row(storage: Storage) -> None:
    assert send(storage, correction="ஒன்று.", rating=None).status_code == 200
    (row,) = stored(storage, "corrections")
    assert (row.target, row.translation, row.rating) == ("ஒன்று.", "ஒன்று", None)


def test_a_correction_counts_for_a_rollout_and_a_rating_does_not(storage: Storage) -> None:
    counted: list[tuple[str, str]] = []
    given = {"count_correction": lambda engine, client: counted.append((engine, client))}
    assert send(storage, given=given).status_code == 200
    assert send(storage, given=given, correction="ஒன்று.").status_code == 200
    assert [engine for engine, _ in counted] == ["d1"]


def test_an_endpoint_that_stores_no_feedback_says_so() -> None:
    assert_error(send(None), 403, "feedback_disabled")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rating": None}, "rating and correction are both missing"),
        ({"rating": "so-so"}, "rating: "),
        ({"text": ""}, "text: "),
        ({"text": "a\ud800"}, "half of a surrogate pair"),
        ({"correction": ""}, "correction: "),
        ({"stars": 5}, "stars: not a known key (text, translation, source"),
        ({"engine": "x" * 129}, "engine: "),
        ({"request_id": "a b"}, "request_id: "),
    ],
    ids=lambda value: str(value)[:20].encode(errors="replace").decode(),
)
def test_wrong_feedback_is_refused_with_its_key(
    storage: Storage, values: dict[str, Any], message: str
) -> None:
    assert_error(send(storage, **values), 400, "invalid_request", message)
    assert stored(storage, "ratings") == []


def test_feedback_in_an_unknown_language_is_refused(storage: Storage) -> None:
    assert_error(send(storage, target="xx"), 400, "unsupported_language", "xx")


def test_feedback_above_the_limit_is_refused(storage: Storage) -> None:
    text = "x" * (3 * CONFIG.max_characters)
    assert_error(send(storage, text=text), 413, "too_large", "feedback may hold")
