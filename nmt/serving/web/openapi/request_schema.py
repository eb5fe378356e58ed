"""The schema of a translation request: its limits, and the languages that are served now."""

from collections.abc import Iterator
from typing import cast

from nmt.config import ServingConfig
from nmt.serving.types import Served
from nmt.serving.web.operation import Schema
from nmt.serving.web.responses import short_code

_Choices = list[str | None]


def restrict_request(schema: Schema, config: ServingConfig, served: Served) -> None:
    """Add the limits and the languages of the moment to the schema of a request."""
    properties = cast(dict[str, Schema], schema["properties"])
    # The limits are words only: a schema cannot limit the sum of all texts.
    properties["text"] = {
        "description": (
            f"{properties['text']['description']} At most {config.max_texts} texts with "
            f"{config.max_characters} characters in all."
        ),
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ],
    }
    alternatives = list(_alternatives(served))
    if len(_domains_by_pair(served)) > 1:
        schema["anyOf"] = [_require(choices) for choices in alternatives]
    for key in ("source", "target", "domain") if alternatives else ():
        known = dict.fromkeys(name for choices in alternatives for name in choices[key])
        properties[key].pop("anyOf", None)
        # None last, as it stands for the default.
        properties[key]["enum"] = sorted(known, key=lambda name: name is None)
    # Further names are valid while their engines are loaded, which may change at any moment.
    properties["engine"].pop("anyOf", None)
    properties["engine"]["type"] = ["string", "null"]


def example_requests(served: Served) -> Schema:
    """Build examples, each of which the endpoint answers."""
    if served.default is None:
        return {}
    pair = {
        "source": short_code(served.default.source_language),
        "target": served.default.target_language,
    }
    domain = {"domain": served.default.domain} if served.default.domain else {}
    text = "Where is the hospital?"
    return {
        "text": {"summary": "One text", "value": {"text": text, **domain}},
        "texts": {
            "summary": "Two texts",
            "value": {"text": ["The doctor is at home.", text], **domain},
        },
        "languages": {
            "summary": "With its languages",
            "value": {"text": text, **pair, **domain},
        },
    }


def _domains_by_pair(served: Served) -> dict[tuple[str, str], _Choices]:
    domains: dict[tuple[str, str], _Choices] = {}
    for route in served.routes:
        pair = route.source_language, route.target_language
        domains.setdefault(pair, []).append(route.domain)
    return domains


def _alternatives(served: Served) -> Iterator[dict[str, _Choices]]:
    """Yield the values of source, target and domain that go together; None is a missing key."""
    by_pair = _domains_by_pair(served)
    default = served.default
    for (source, target), domains in by_pair.items():
        sources, targets = _names(source), _names(target)
        yield {"source": sources, "target": targets, "domain": domains}
        if sum(pair[0] == source for pair in by_pair) == 1:
            yield {"source": sources, "target": [None], "domain": domains}
        if sum(pair[1] == target for pair in by_pair) == 1:
            yield {"source": [None], "target": targets, "domain": domains}
        if default and (default.source_language, default.target_language) == (source, target):
            # Without a domain too, even if the default route is one of a domain.
            yield {"source": [None], "target": [None], "domain": [*domains, None]}


def _names(code: str) -> _Choices:
    return list(dict.fromkeys((short_code(code), code)))


def _require(choices: dict[str, _Choices]) -> Schema:
    properties = {key: {"enum": list(dict.fromkeys(values))} for key, values in choices.items()}
    required = [key for key, values in choices.items() if None not in values]
    return {"properties": properties, "required": required}
