"""The web page at `/`, a single file with its own script and style."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from starlette.responses import Response

from nmt.serving.web.answers import html_answer


def page_response() -> Response:
    """Return the page with a policy that forbids every other script, style and host."""
    html, policy = _load_page()
    return html_answer(html, policy)


@cache
def _load_page() -> tuple[str, str]:
    html = files("nmt.serving.web").joinpath("page.html").read_text(encoding="utf-8")
    policy = (
        "default-src 'none'",
        # Hashes allow exactly these two elements: text that a translation injects cannot run.
        f"script-src {_source_hash(html, 'script')}",
        f"style-src {_source_hash(html, 'style')}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return html, "; ".join(policy)


def _source_hash(html: str, tag: str) -> str:
    """Hash the content of the page's only element with this tag, as a policy needs it."""
    match = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    content = match[1] if match else ""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
