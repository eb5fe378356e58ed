"""Templates of the report, and the policy that keeps the page from loading anything."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nmt.report import formatting
from nmt.report.page import charts
from nmt.report.page.outcome import label_of

_NEGATIVE = re.compile(r"(?<![\w-])-(?=\d)")


def render(template: str, **context: object) -> str:
    """Render a page with its style sheet and its script."""
    style, script = _asset("report.css"), _asset("report.js")
    # The policy allows this one style sheet and this one script, by their hashes.
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            style_hash=_hash(style),
            script_hash=_hash(script),
            **context,
        )
    )


@cache
def _asset(name: str) -> str:
    return files("nmt.report.page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nmt.report", "page"),
        # Sentences and names come from the user's files, and may look like HTML.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every value passes through here on its way into the page.
        finalize=_show,
    )
    environment.globals.update(formatting=formatting, label_of=label_of, share_bar=charts.share_bar)
    environment.filters["minus"] = _minus
    # Jinja's own `capitalize` makes the other letters small, as in chrF.
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return environment


def _minus(text: str) -> str:
    """Replace the hyphen of a negative number by a minus sign."""
    # A hyphen within a word, such as a system's name, stays.
    return _NEGATIVE.sub("\u2212", text)


def _show(value: object) -> object:
    """Write null in words, and clean text of control and bidirectional characters."""
    if value is None:
        return formatting.NOT_COMPUTED
    if isinstance(value, Markup):
        return value
    return formatting.clean(value) if isinstance(value, str) else value
