"""All handlers, and the operations that they answer."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from nmt.serving.web.context import WebContext
from nmt.serving.web.handlers.deepl import DeepLHandlers
from nmt.serving.web.handlers.description import DescriptionHandlers
from nmt.serving.web.handlers.documents import DocumentHandlers
from nmt.serving.web.handlers.feedback import FeedbackHandlers
from nmt.serving.web.handlers.libretranslate import LibreTranslateHandlers
from nmt.serving.web.handlers.libretranslate_files import LibreTranslateFileHandlers
from nmt.serving.web.handlers.status import StatusHandlers
from nmt.serving.web.handlers.translation import TranslationHandlers
from nmt.serving.web.operation import Handler, Operation
from nmt.serving.web.operations import OPERATIONS


class _Group(Protocol):
    """The handlers of some operations."""

    def __init__(self, context: WebContext) -> None: ...

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation that is offered, by its name."""
        ...


_GROUPS: tuple[type[_Group], ...] = (
    TranslationHandlers,
    DocumentHandlers,
    LibreTranslateHandlers,
    LibreTranslateFileHandlers,
    DeepLHandlers,
    FeedbackHandlers,
    StatusHandlers,
)


def build_handlers(context: WebContext) -> Sequence[tuple[Operation, Handler]]:
    """Return the operations that are offered, each with its handler."""
    handlers: dict[str, Handler] = {}
    for group in _GROUPS:
        handlers |= group(context).handlers()
    names = {*handlers, *DescriptionHandlers.NAMES}
    offered = [each for each in OPERATIONS if each.name in names]
    # The last group describes all others.
    handlers |= DescriptionHandlers(context, offered).handlers()
    return [(each, handlers[each.name]) for each in offered]
