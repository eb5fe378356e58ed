"""The bodies of feedback on translations."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator, with_config
from typing_extensions import TypedDict

from nmt.serving.feedback.rows import Rating
from nmt.serving.types import Served
from nmt.serving.web.operation import Schema
from nmt.serving.web.reading.models import UnicodeText
from nmt.serving.web.record import REQUEST_ID

_MAX_NAME = 128


class FeedbackRequest(BaseModel):
    """A rating or a correction of a translation, or both."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    text: UnicodeText = Field(min_length=1)
    """The text that was translated."""
    translation: UnicodeText
    """What the endpoint made of it."""
    source: StrictStr
    """FLORES-200 or ISO 639 code of the text."""
    target: StrictStr
    """The same for the translation."""
    engine: UnicodeText = Field(min_length=1, max_length=_MAX_NAME)
    """Digest of the engine, as the answer to the translation says."""
    domain: UnicodeText | None = Field(default=None, max_length=_MAX_NAME)
    """That of the request for the translation."""
    rating: Rating | None = None
    """Whether the translation is good."""
    correction: UnicodeText | None = Field(default=None, min_length=1)
    """A better translation."""
    request_id: StrictStr | None = Field(default=None, pattern=f"^{REQUEST_ID}$")
    """`X-Request-Id` of the answer to the translation."""

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        if self.rating is None and self.correction is None:
            raise ValueError("rating and correction are both missing: send one of them")
        return self


@with_config(ConfigDict(extra="forbid", use_attribute_docstrings=True))
class FeedbackBody(TypedDict):
    """Feedback that was stored."""

    id: str
    """Id by which the endpoint's operators find it."""


def example_feedback(served: Served) -> Schema:
    """Build an example, which the endpoint takes."""
    if served.default is None:
        return {}
    value = {
        "text": "The doctor is at home.",
        "translation": "…",
        "source": served.default.source_language,
        "target": served.default.target_language,
        "engine": served.default.engine,
        "rating": "good",
    }
    return {"rating": {"summary": "A rating", "value": value}}
