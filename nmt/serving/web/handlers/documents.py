"""The handlers of documents that are translated as jobs."""

from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from nmt.documents.document import ReadOptions
from nmt.documents.formats.file_names import content_disposition, result_name, safe_name
from nmt.documents.formats.limits import MIB, count_characters
from nmt.serving.documents.service import Documents
from nmt.serving.documents.store import new_id
from nmt.serving.documents.types import DocumentRequest, DocumentState, StoredDocument
from nmt.serving.errors import (
    DocumentNotDoneError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
)
from nmt.serving.web.answers import file_answer, json_answer
from nmt.serving.web.context import WebContext
from nmt.serving.web.operation import BYTES, Handler
from nmt.serving.web.operations.documents import DocumentBody, DocumentForm
from nmt.serving.web.reading.models import parse_model
from nmt.serving.web.reading.multipart import UploadedFile, UploadForm
from nmt.serving.web.reading.values import single_values
from nmt.serving.web.record import record_of
from nmt.serving.web.texts.files import ANY_LANGUAGE, read_file
from nmt.serving.web.texts.preparing import find_terms
from nmt.serving.web.texts.routes import Wanted


class DocumentHandlers:
    """The handlers of `/v1/documents`."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name; none if no documents are taken."""
        if self._context.documents is None:
            return {}
        return {
            "createDocument": self.create,
            "listDocuments": self.list,
            "getDocument": self.get,
            "deleteDocument": self.delete,
            "getDocumentResult": self.get_result,
            "cancelDocument": self.cancel,
            "resumeDocument": self.resume,
        }

    async def create(self, request: Request) -> Response:
        """Handle `POST /v1/documents`."""
        # Before the body is read, which may take minutes.
        self._context.served_now()
        await self._documents.check_space()
        form = await self._context.read_upload(request, self._context.config.max_document_mib * MIB)
        file, asked = _parse(form)
        asked_document = await self._prepare(request, file, asked)
        stored = await self._documents.add(asked_document, file.content)
        answer = json_answer(_body(stored))
        answer.status_code = 202
        answer.headers["Location"] = f"/v1/documents/{asked_document.id}"
        return answer

    async def list(self, request: Request) -> Response:
        """Handle `GET /v1/documents`."""
        owner, is_admin = record_of(request).key_id, self._is_admin(request)
        # Without keys nobody is known, and an id has to be all that gives access.
        found = await self._documents.list(
            lambda each: is_admin or (bool(owner) and each.owner == owner)
        )
        return json_answer({"documents": [_body(each) for each in found]})

    async def get(self, request: Request) -> Response:
        """Handle `GET /v1/documents/{id}`."""
        return json_answer(_body(await self._find(request)))

    async def delete(self, request: Request) -> Response:
        """Handle `DELETE /v1/documents/{id}`."""
        found = await self._find(request)
        await self._documents.delete(found.request.id)
        return Response(status_code=204)

    async def get_result(self, request: Request) -> Response:
        """Handle `GET /v1/documents/{id}/result`."""
        found = await self._find(request)
        if found.state.status != "done":
            reason = f": {found.state.error}" if found.state.error else ""
            raise DocumentNotDoneError(f"the document is {found.state.status}{reason}")
        content = await self._documents.result(found.request.id)
        name = result_name(found.request.name, found.request.options.target_language)
        return file_answer(content, BYTES, content_disposition(name))

    async def cancel(self, request: Request) -> Response:
        """Handle `POST /v1/documents/{id}/cancel`."""
        found = await self._find(request)
        return _changed(found, await self._documents.cancel(found.request.id))

    async def resume(self, request: Request) -> Response:
        """Handle `POST /v1/documents/{id}/resume`."""
        found = await self._find(request)
        return _changed(found, await self._documents.resume(found.request.id))

    @property
    def _documents(self) -> Documents:
        documents = self._context.documents
        assert documents  # noqa: S101 - else there are no handlers
        return documents

    async def _prepare(
        self, request: Request, file: UploadedFile, asked: DocumentForm
    ) -> DocumentRequest:
        """Check all that can be wrong with a document, so that its client learns it at once.

        Raises:
            RequestError: the document cannot be translated.
        """
        read = await read_file(
            file,
            Wanted(asked.source or None, asked.target or None, asked.domain or None),
            self._context.served_now(),
            max_characters=self._context.config.max_document_characters,
            declared=asked.format,
            options=ReadOptions(
                ANY_LANGUAGE,
                ANY_LANGUAGE,
                encoding=asked.encoding or None,
                overwrite=asked.overwrite,
                is_wrapped=asked.is_wrapped,
                keys=asked.keys,
                skipped_keys=asked.skipped_keys,
            ),
        )
        route = read.route
        characters = count_characters(read.document.segments)
        self._context.spend(request, 1, characters)
        record = record_of(request)
        record.route, record.engine = route.key, route.engine
        # Only to see whether the route has it: the worker chooses the engine.
        self._context.translator.session(route, record.client, engine=asked.engine)
        return DocumentRequest(
            id=new_id(),
            owner=record.key_id,
            client=record.client,
            name=safe_name(file.name),
            format=read.format,
            route=route.key,
            options=read.options,
            engine=asked.engine,
            glossary=await find_terms(self._context, asked.glossary, route),
            characters=characters,
            created=datetime.now(UTC),
        )

    async def _find(self, request: Request) -> StoredDocument:
        """Read the document of a request.

        Raises:
            NotFoundError: there is none, or it is another client's, which is not told.
        """
        found = await self._documents.find(request.path_params["id"])
        if found is None or not (
            found.request.owner == record_of(request).key_id or self._is_admin(request)
        ):
            raise NotFoundError("there is no such document; perhaps its time is over")
        return found

    def _is_admin(self, request: Request) -> bool:
        """Tell whether the API key of a request may see the documents of all others."""
        authenticator = self._context.authenticator
        if authenticator is None or not record_of(request).key_id:
            return False
        try:
            authenticator.admit(request.headers.get("authorization"), "admin")
        except ForbiddenError:
            return False
        return True


def _parse(form: UploadForm) -> tuple[UploadedFile, DocumentForm]:
    """Read the form of a document.

    Raises:
        InvalidRequestError: a field is wrong, or the file is missing.
    """
    file = form.files.get("file")
    others = [name for name in form.files if name != "file"]
    if file is None or others:
        raise InvalidRequestError("the form must hold one file, in the part 'file', with its name")
    values = single_values(form.fields)
    return file, parse_model({**values, "file": b""}, DocumentForm)


def _changed(found: StoredDocument, state: DocumentState | None) -> Response:
    if state is None:
        raise NotFoundError("there is no such document; perhaps its time is over")
    return json_answer(_body(StoredDocument(found.request, state)))


def _body(stored: StoredDocument) -> DocumentBody:
    request, state = stored.request, stored.state
    return {
        "id": request.id,
        "name": request.name,
        "format": request.format,
        "source": request.options.source_language,
        "target": request.options.target_language,
        "status": state.status,
        "characters": request.characters,
        "sentences": state.sentences,
        "sentences_done": state.sentences_done,
        "seconds_left": state.seconds_left,
        "engine": state.engine,
        "warnings": [
            {"kind": each.kind, "path": each.path, "source": each.source} for each in state.warnings
        ],
        "error": state.error,
        "created": request.created.isoformat(),
        "expires": state.expires.isoformat() if state.expires else None,
    }
