"""The OpenAPI document as a web page, without scripts and without files of other hosts."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, cast

from nmt.serving.web.operation import Schema

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem; }
h2 { border-top: 1px solid #8a93a3; padding-top: 1rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin-bottom: .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
td:last-child { overflow-wrap: anywhere; }
td:first-child, td a { white-space: nowrap; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8a93a3; border-radius: .5rem; }
"""
_JSON = "application/json"
_CODE = re.compile("`([^`]*)`")
DOCS_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content security policy of the page."""


def render_docs(document: Schema) -> str:
    """Write the document as a page."""
    return "\n".join(_page(document))


def _page(document: Schema) -> Iterator[str]:
    info = cast(dict[str, str], document["info"])
    title = escape(info["title"])
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<title>{title}</title><link rel="icon" href="data:,">'
    yield f"<style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{title} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'])} "
    yield 'For programs: <a href="openapi.json">openapi.json</a>.</p>'
    for path, methods in cast(dict[str, dict[str, Any]], document["paths"]).items():
        for method, operation in methods.items():
            yield from _operation(f"{method.upper()} {path}", operation)
    yield "<h2>Bodies</h2>"
    for name, schema in cast(dict[str, Any], document["components"])["schemas"].items():
        yield from _body(name, schema)
    yield "</main></body></html>"


def _body(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(name)}">{escape(name)}</h3>'
    yield f"<p>{_prose(schema.get('description', ''))}</p>"
    required = schema.get("required", [])
    yield from _table(
        ("key", "type", "meaning"),
        (
            (
                _code(key) + ("" if key in required else " (optional)"),
                _type_name(value),
                _prose(value.get("description", "")),
            )
            for key, value in schema.get("properties", {}).items()
        ),
    )


def _operation(title: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2>{_code(title)}</h2>"
    key = " Needs an API key: <code>Authorization: Bearer KEY</code>." * ("security" in operation)
    yield f"<p>{escape(operation['summary'])}.{key}</p>"
    yield from _table(
        ("parameter", "in", "meaning"),
        (
            (_code(each["name"]), each["in"], _prose(each.get("description", "")))
            for each in operation["parameters"]
        ),
    )
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    for media, body in content.items():
        yield f"<p>Body: {_type_name(body['schema'])} as {_code(media)}</p>"
        for example in body.get("examples", {}).values():
            text = json.dumps(example["value"], ensure_ascii=False, indent=2)
            yield f"<p>{escape(example['summary'])}:</p><pre>{escape(text)}</pre>"
    yield from _table(
        ("status", "body", "meaning"),
        (
            (
                status,
                " or ".join(
                    _type_name(content["schema"]) if media == _JSON else _code(media)
                    for media, content in answer.get("content", {}).items()
                ),
                _prose(answer["description"]),
            )
            for status, answer in operation["responses"].items()
        ),
    )


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Write a table; the cells are HTML."""
    yield "<table><tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</table>"


def _type_name(schema: dict[str, Any]) -> str:
    """Describe a schema in a few words of HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "allOf" in schema:
        return _type_name(schema["allOf"][0])
    if "anyOf" in schema:
        return " or ".join(_type_name(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(_code(json.dumps(value, ensure_ascii=False)) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type_name(schema['items'])}"
    return escape(str(schema.get("type", "any value")))


def _prose(text: str) -> str:
    """Write text, in which words between backquotes are code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
