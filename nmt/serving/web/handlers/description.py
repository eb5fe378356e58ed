"""The handlers of the OpenAPI document and of the pages."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial

from starlette.requests import Request
from starlette.responses import Response

from nmt.serving.web.answers import html_answer, json_answer
from nmt.serving.web.context import WebContext
from nmt.serving.web.openapi.docs_page import DOCS_POLICY, render_docs
from nmt.serving.web.openapi.document import build_document
from nmt.serving.web.operation import Handler, Operation
from nmt.serving.web.page import page_response


class DescriptionHandlers:
    """The handlers that describe all operations."""

    NAMES = ("getOpenapi", "getDocs", "getPage")

    def __init__(self, context: WebContext, operations: Sequence[Operation]) -> None:
        self._translator = context.translator
        # Kept until something else is served: building it takes a tenth of a second.
        self._document_of = lru_cache(maxsize=1)(
            partial(build_document, operations, context.config)
        )
        self._docs_of = lru_cache(maxsize=1)(lambda served: render_docs(self._document_of(served)))

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name."""
        return {
            "getOpenapi": self.get_openapi,
            "getDocs": self.get_docs,
            "getPage": self.get_page,
        }

    async def get_openapi(self, _request: Request) -> Response:
        """Handle `GET /openapi.json`."""
        return json_answer(self._document_of(self._translator.served()))

    async def get_docs(self, _request: Request) -> Response:
        """Handle `GET /docs`."""
        return html_answer(self._docs_of(self._translator.served()), DOCS_POLICY)

    async def get_page(self, _request: Request) -> Response:
        """Handle `GET /`."""
        return page_response()
