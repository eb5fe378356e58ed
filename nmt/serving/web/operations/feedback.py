"""The operation for ratings and corrections of translations."""

from nmt.serving.errors import (
    FeedbackDisabledError,
    StorageUnavailableError,
    UnsupportedLanguageError,
)
from nmt.serving.web.bodies.feedback import FeedbackBody, FeedbackRequest, example_feedback
from nmt.serving.web.operation import JSON, JSON_ERRORS, Operation

FEEDBACK = (
    Operation(
        "POST",
        "/v1/feedback",
        "sendFeedback",
        "Rate or correct a translation",
        FeedbackBody,
        (
            *JSON_ERRORS,
            UnsupportedLanguageError,
            FeedbackDisabledError,
            StorageUnavailableError,
        ),
        {JSON: FeedbackRequest},
        "feedback",
        examples=example_feedback,
    ),
)
"""In the order of the document."""
