"""Putting the page together from its parts, with the policy that allows exactly these."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from starlette.responses import Response

from nmt.serving.web.answers import html_answer

# In this order, in one scope: a script uses what earlier ones declare, and functions of all.
_SCRIPTS: Sequence[str] = (
    "elements.js",
    "requests.js",
    "served.js",
    "choices.js",
    "glossary.js",
    "corrections.js",
    "comparison.js",
    "results.js",
    "text.js",
    "document_row.js",
    "documents.js",
    "start.js",
)


def page_response() -> Response:
    """Return the page with a policy that forbids every other script, style and host."""
    html, policy = _load_page()
    return html_answer(html, policy)


@cache
def _load_page() -> tuple[str, str]:
    style = _read("page.css")
    # A block, so that no script can leave a name in the window.
    script = "\n".join(('"use strict";', "{", *map(_read, _SCRIPTS), "}"))
    html = _read("page.html").replace("/* style */", style).replace("/* script */", script)
    policy = (
        "default-src 'none'",
        # Hashes allow exactly these two elements: text that a translation injects cannot run.
        f"script-src {_source_hash(script)}",
        f"style-src {_source_hash(style)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return html, "; ".join(policy)


def _read(name: str) -> str:
    return files("nmt.serving.web.page").joinpath(name).read_text(encoding="utf-8")


def _source_hash(content: str) -> str:
    """Hash the content of an element, as a policy needs it."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
