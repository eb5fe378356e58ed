"""Forms with files: read within their limits, whatever a client sends."""

import asyncio
from contextlib import suppress

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from nmt.serving.errors import InvalidRequestError, TooLargeError
from nmt.serving.web.reading.multipart import UploadForm, read_multipart

TYPE = "multipart/form-data; boundary=b"
LIMIT = 1000


def read(body: bytes, content_type: str = TYPE, *, chunk: int = 100) -> UploadForm:
    """Read a form that arrives in chunks."""
    chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]

    async def receive() -> Message:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    scope = {"type": "http", "headers": [(b"content-type", content_type.encode())]}
    return asyncio.run(read_multipart(Request(scope, receive), LIMIT))


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return b"--b\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"


END = b"--b--\r\n"
FILE = part('name="file"; filename="a.html"', b"<p>\r\n\xff\r\n--", "Content-Type: text/html")


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_fields_and_files_are_read_as_they_were_sent(chunk: int) -> None:
    body = part('name="source"', b"en") + FILE + part('name="key"', "அ".encode()) + END
    form = read(body, chunk=chunk)
    assert form.fields == {"source": ["en"], "key": ["அ"]}
    assert list(form.files) == ["file"]
    file = form.files["file"]
    assert (file.name, file.media_type, file.content) == (
        "a.html",
        "text/html",
        b"<p>\r\n\xff\r\n--",
    )


def test_the_form_of_a_client_is_read() -> None:
    request = httpx.Request(
        "POST", "http://test", data={"q": ["a", "b"]}, files={"file": ("ü.txt", b"x")}
    )
    form = read(request.read(), request.headers["content-type"])
    assert form.fields == {"q": ["a", "b"]}
    assert form.files["file"].name == "ü.txt"


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"", TYPE, "ends before"),
        (FILE, TYPE, "ends before"),
        (FILE[:40], TYPE, "ends before"),
        (b"{}", TYPE, "multipart/form-data"),
        (FILE + END, "multipart/form-data", "boundary"),
        (FILE + END, "multipart/form-data; boundary=" + "b" * 300, "multipart/form-data"),
        (part("size=3", b"") + END, TYPE, "no name"),
        (FILE + FILE + END, TYPE, "two files"),
        (part('name="q"', b"\xff") + END, TYPE, "q: the field is not text"),
    ],
)
def test_a_body_that_is_not_a_form_is_refused(body: bytes, content_type: str, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        read(body, content_type)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (part('name="file"; filename="a"', b"x" * (LIMIT + 1)) + END, "the file is larger"),
        (part('name="q"', b"x" * 70_000) + END, "q: the field is longer"),
        (part('name="q"', b"x") * 65 + END, "more than 64 parts"),
        (part('name="q"', b"x" * 60_000) * 5 + END, "the body is longer"),
    ],
)
def test_a_form_above_a_limit_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(TooLargeError, match=words):
        read(body, chunk=10_000)


def test_an_endless_file_is_read_up_to_the_limit_only() -> None:
    sent = 0

    async def receive() -> Message:
        nonlocal sent
        sent += 1
        body = part('name="file"; filename="a"', b"") if sent == 1 else b"x" * 100
        return {"type": "http.request", "body": body, "more_body": True}

    scope = {"type": "http", "headers": [(b"content-type", TYPE.encode())]}
    with pytest.raises(TooLargeError):
        asyncio.run(read_multipart(Request(scope, receive), LIMIT))
    assert sent < 20


@given(
    st.lists(st.sampled_from([b"--b", b"--", b"\r\n", b"\r", b":", b"name=", FILE, b"\xff", END]))
)
@settings(max_examples=60, deadline=None)
def test_any_body_is_read_or_refused(pieces: list[bytes]) -> None:
    with suppress(InvalidRequestError, TooLargeError):
        read(b"".join(pieces), chunk=13)
