"""Operations that show what is served, and the endpoint's pages."""

from nmt.serving.errors import NoEngineError, StoppingError
from nmt.serving.web.bodies.responses import HealthBody, LanguageBody, ReadyBody
from nmt.serving.web.operation import Operation

GENERAL = (
    Operation("GET", "/languages", "getLanguages", "List the language pairs", list[LanguageBody]),
    Operation(
        "GET",
        "/health",
        "getHealth",
        "Show what is served; 200 as long as the process works",
        HealthBody,
        is_limited=False,
    ),
    Operation(
        "GET",
        "/ready",
        "getReady",
        "Tell whether this replica takes requests",
        ReadyBody,
        (NoEngineError, StoppingError),
        is_limited=False,
    ),
    Operation(
        "GET",
        "/metrics",
        "getMetrics",
        "Show the metrics of all replicas for Prometheus",
        "text/plain",
        scope="admin",
        is_limited=False,
    ),
    Operation("GET", "/openapi.json", "getOpenapi", "Get this document", dict),
    Operation("GET", "/docs", "getDocs", "Read this document as a web page", "text/html"),
    Operation("GET", "/", "getPage", "Translate on a web page", "text/html"),
)
"""In the order of the document."""
