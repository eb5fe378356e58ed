"""The schema of a translation request: its limits, and the languages that are served now."""

from collections.abc import Iterator, Sequence
from typing import cast

from nmt.config import ServingConfig
from nmt.serving.types import Served
from nmt.serving.web.languages import AUTO, deepl_code, deepl_targets, short_code
from nmt.serving.web.operation import Schema

_Choices = list[str | None]
_NULL = {"type": "null"}


def restrict_request(schema: Schema, config: ServingConfig, served: Served) -> None:
    """Add the limits and the languages of the moment to the schema of a request."""
    properties = cast(dict[str, Schema], schema["properties"])
    properties["text"] = {
        "description": f"{properties['text']['description']} {_limits(config)}",
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ],
    }
    # Further names are valid while their engines are loaded, which may change at any moment.
    properties["engine"].pop("anyOf", None)
    properties["engine"]["type"] = ["string", "null"]
    _restrict_languages(schema, list(_alternatives(served)))


def restrict_document(schema: Schema, _config: ServingConfig, served: Served) -> None:
    """Add the languages of the moment to the schema of a document."""
    properties = cast(dict[str, Schema], schema["properties"])
    # Both must name something that is there, which may change at any moment.
    for name in ("engine", "encoding"):
        properties[name].pop("anyOf", None)
        properties[name]["type"] = ["string", "null"]
    _restrict_languages(schema, list(_alternatives(served)))


def restrict_libretranslate(schema: Schema, config: ServingConfig, served: Served) -> None:
    """Do the same for a request of LibreTranslate's clients."""
    _describe_limits(schema, "q", config)
    _restrict_languages(schema, _pairs_with_auto(served))


def restrict_file(schema: Schema, _config: ServingConfig, served: Served) -> None:
    """Do the same for a file of LibreTranslate's clients."""
    _restrict_languages(schema, _pairs_with_auto(served))


def restrict_feedback(schema: Schema, _config: ServingConfig, served: Served) -> None:
    """Do the same for feedback, which has a rating or a correction."""
    properties = cast(dict[str, Schema], schema["properties"])
    for key, languages in (
        ("source", [route.source_language for route in served.routes]),
        ("target", [route.target_language for route in served.routes]),
    ):
        names = dict.fromkeys(name for code in languages for name in _names(code))
        if names:
            properties[key]["enum"] = list(names)
    rating = {"properties": {"rating": {"type": "string"}}, "required": ["rating"]}
    correction = {"type": "string", "minLength": 1}
    schema["anyOf"] = [
        rating,
        {"properties": {"correction": correction}, "required": ["correction"]},
    ]


def _pairs_with_auto(served: Served) -> list[dict[str, _Choices]]:
    return [
        {"source": [*_names(source), AUTO], "target": _names(target), "domain": domains}
        for (source, target), domains in _domains_by_pair(served).items()
    ]


def restrict_curator(schema: Schema, config: ServingConfig, served: Served) -> None:
    """Do the same for a request of NeMo Curator, which names no domain."""
    _describe_limits(schema, "texts", config)
    pairs = [
        {"src_lang": _names(source), "tgt_lang": _names(target)}
        for (source, target), domains in _domains_by_pair(served).items()
        if None in domains
    ]
    _restrict_languages(schema, pairs)


def restrict_deepl(schema: Schema, config: ServingConfig, served: Served) -> None:
    """Do the same for a request of DeepL's clients, which name no domain."""
    _describe_limits(schema, "text", config)
    pairs: list[dict[str, _Choices]] = [
        {"source_lang": [deepl_code(source), "", None], "target_lang": [*deepl_targets(target)]}
        for (source, target), domains in _domains_by_pair(served).items()
        if None in domains
    ]
    _restrict_languages(schema, pairs)


def form_schema(schema: object) -> object:
    """Return a schema without null and empty lists, which a form does not have."""
    if isinstance(schema, list):
        parts = cast(list[object], schema)
        return [form_schema(each) for each in parts if each not in (None, "null", _NULL)]
    if not isinstance(schema, dict):
        return schema
    found = cast(Schema, schema)
    minimum = {"minItems": 1} if found.get("type") == "array" else {}
    return minimum | {
        key: form_schema(value)
        for key, value in found.items()
        if not (key == "default" and value is None)
    }


def _describe_limits(schema: Schema, key: str, config: ServingConfig) -> None:
    described = cast(dict[str, Schema], schema["properties"])[key]
    described["description"] = f"{described['description']} {_limits(config)}"


def _limits(config: ServingConfig) -> str:
    # In words: a schema cannot limit the sum of all texts.
    return f"At most {config.max_texts} texts with {config.max_characters} characters in all."


def _restrict_languages(schema: Schema, alternatives: Sequence[dict[str, _Choices]]) -> None:
    """Permit only values that go together; a value of None is a key that is left out."""
    properties = cast(dict[str, Schema], schema["properties"])
    if len(alternatives) > 1:
        schema["anyOf"] = [_require(choices) for choices in alternatives]
    for key in alternatives[0] if alternatives else ():
        known = dict.fromkeys(name for choices in alternatives for name in choices[key])
        properties[key].pop("anyOf", None)
        # None last, as it stands for the default.
        properties[key]["enum"] = sorted(known, key=lambda name: name is None)


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
        yield {"source": [*sources, AUTO], "target": targets, "domain": domains}
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
