"""The handlers of LibreTranslate's operations for files."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from nmt.documents.formats.file_names import content_disposition, result_name, safe_name
from nmt.documents.formats.limits import MIB, count_characters
from nmt.serving.documents.service import Documents
from nmt.serving.documents.store import new_id
from nmt.serving.documents.types import DocumentRequest
from nmt.serving.errors import (
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    TooLargeError,
    UnauthorizedError,
)
from nmt.serving.web.answers import file_answer, json_answer
from nmt.serving.web.context import WebContext
from nmt.serving.web.operation import BYTES, Handler
from nmt.serving.web.operations.libretranslate import TranslateFileForm
from nmt.serving.web.reading.bodies import parse_form
from nmt.serving.web.reading.models import parse_model
from nmt.serving.web.reading.multipart import UploadedFile, UploadForm
from nmt.serving.web.reading.values import api_key_of, single_values
from nmt.serving.web.record import record_of
from nmt.serving.web.texts.files import ReadFile, read_file
from nmt.serving.web.texts.routes import Wanted
from nmt.serving.web.texts.session import TextOptions, open_session

_MAX_UNKNOWN_UPLOADS = 4
"""Uploads at once whose API key comes with the file, which is held in memory until then."""
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class LibreTranslateFileHandlers:
    """The handlers of `POST /translate_file`, and of what it returns."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._unknown_uploads = 0

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name; none if no documents are taken."""
        if self._context.documents is None:
            return {}
        return {"libreTranslateFile": self.translate, "libreDownloadFile": self.download}

    async def translate(self, request: Request) -> Response:
        """Handle `POST /translate_file`."""
        # Before the body is read, which may take minutes.
        served = self._context.served_now()
        form = await self._admitted_form(request)
        file, asked = _parse(form)
        wanted = Wanted(asked.source, asked.target, asked.domain or None)
        limit = self._context.config.max_document_characters
        read = await read_file(file, wanted, served, max_characters=limit)
        characters = count_characters(read.document.segments)
        self._check_length(characters)
        self._context.spend(request, 1, characters)
        result = await self._translate(request, read)
        return json_answer(await self._keep(request, file, read, result))

    async def download(self, request: Request) -> Response:
        """Handle `GET /download_file/{id}/{name}`."""
        found = await self._documents.find(request.path_params["id"])
        # Other documents belong to an API key.
        if found is None or not found.request.is_public or found.state.status != "done":
            raise NotFoundError("there is no such file, or it was kept long enough")
        content = await self._documents.result(found.request.id)
        name = result_name(found.request.name, found.request.options.target_language)
        return file_answer(content, BYTES, content_disposition(name))

    @property
    def _documents(self) -> Documents:
        documents = self._context.documents
        assert documents  # noqa: S101 - else there are no handlers
        return documents

    async def _admitted_form(self, request: Request) -> UploadForm:
        """Read a form whose API key may be in a header, the query string or a field."""
        max_bytes = self._context.config.max_document_mib * MIB
        key = api_key_of(single_values(parse_form(request.scope["query_string"])))
        try:
            self._context.admit(request, "translate", key)
        except UnauthorizedError:
            if key:
                raise
        else:
            return await self._context.read_upload(request, max_bytes)
        async with self._unknown_upload():
            form = await self._context.read_upload(request, max_bytes)
            self._context.admit(request, "translate", api_key_of(single_values(form.fields)))
            return form

    @asynccontextmanager
    async def _unknown_upload(self) -> AsyncIterator[None]:
        if self._unknown_uploads >= _MAX_UNKNOWN_UPLOADS:
            raise OverloadedError(
                "too many files are sent with their API key behind them: send it in the header "
                "Authorization, or try again"
            )
        self._unknown_uploads += 1
        try:
            yield
        finally:
            self._unknown_uploads -= 1

    def _check_length(self, characters: int) -> None:
        """Refuse a file that would not be translated in the time of a request."""
        # As many characters as a request with texts may have, which the operator has set so that
        # they are translated in time.
        limit = self._context.config.max_characters
        if characters > limit:
            raise TooLargeError(
                f"the file has {characters} characters to translate, and {limit} fit into a "
                "request (serving.max_characters): send it to POST /v1/documents"
            )

    async def _translate(self, request: Request, read: ReadFile) -> bytes:
        translator, record = self._context.translator, record_of(request)
        with open_session(translator, read.route, TextOptions(), record) as session:
            [translated] = await session.translate_segments([read.document])
        return await asyncio.to_thread(read.document.write, translated)

    async def _keep(
        self, request: Request, file: UploadedFile, read: ReadFile, result: bytes
    ) -> Mapping[str, object]:
        """Keep a translated file where every replica finds it."""
        record = record_of(request)
        kept = DocumentRequest(
            id=new_id(),
            owner=record.key_id,
            client=record.client,
            name=safe_name(file.name),
            format=read.format,
            route=read.route.key,
            options=read.options,
            characters=record.characters,
            created=datetime.now(UTC),
            is_public=True,
        )
        await self._documents.add_result(kept, result)
        name = quote(result_name(kept.name, read.route.target_language), safe="")
        return {"translatedFileUrl": f"{_origin(request)}/download_file/{kept.id}/{name}"}


def _parse(form: UploadForm) -> tuple[UploadedFile, TranslateFileForm]:
    """Check the fields of a form.

    Raises:
        InvalidRequestError: one is missing.
    """
    file = form.files.get("file")
    if file is None:
        raise InvalidRequestError("file: the form has no file of this name")
    asked = parse_model({**single_values(form.fields), "file": b""}, TranslateFileForm)
    return file, asked


def _origin(request: Request) -> str:
    """Return the address of the endpoint as the client knows it; empty if it is not known."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        return ""
    # A proxy that adds TLS says so.
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    scheme = forwarded if forwarded in ("http", "https") else request.scope["scheme"]
    return f"{scheme}://{host}"
