"""The table of operations: what the endpoint answers, and with which errors."""

from nmt.serving.web.operations.deepl import DEEPL
from nmt.serving.web.operations.documents import DOCUMENTS
from nmt.serving.web.operations.feedback import FEEDBACK
from nmt.serving.web.operations.general import GENERAL
from nmt.serving.web.operations.libretranslate import LIBRETRANSLATE
from nmt.serving.web.operations.translation import TRANSLATION

OPERATIONS = (*TRANSLATION, *DOCUMENTS, *FEEDBACK, *LIBRETRANSLATE, *DEEPL, *GENERAL)
"""All operations; those whose handler is not there, as metrics are switched off, are left out."""
