"""The bodies of translated texts, with the keys that a request asks for."""

from collections.abc import Sequence

from nmt.serving.detection import Detection
from nmt.serving.types import ServedRoute
from nmt.serving.web.bodies.responses import LastLine, TranslatedText, TranslationBody
from nmt.serving.web.texts.session import TextResult


def translation_body(
    texts: Sequence[TranslatedText], engine: str, route: ServedRoute, detected: Detection | None
) -> TranslationBody:
    """Build the body for translated texts, a list even for a single text."""
    return {"translations": list(texts), **last_line(engine, route, detected)}


def last_line(engine: str, route: ServedRoute, detected: Detection | None) -> LastLine:
    """Build what is the same for all texts of a request."""
    body: LastLine = {
        "engine": engine,
        "source": route.source_language,
        "target": route.target_language,
    }
    if detected:
        confidence = round(detected.confidence, 3)
        body["detected"] = {"language": detected.language, "confidence": confidence}
    return body


def translated_text(
    result: TextResult, *, alternatives: bool, glossary: bool, details: bool
) -> TranslatedText:
    """Build the body of a translated text, with the keys that were asked for."""
    body: TranslatedText = {"text": result.text}
    if alternatives:
        body["alternatives"] = list(result.alternatives)
    if glossary:
        body["glossary"] = [
            {
                "source": each.source,
                "target": each.target,
                "count": each.count,
                "applied": each.is_applied,
            }
            for each in result.glossary
        ]
    if details:
        confidence = result.confidence
        body["confidence"] = None if confidence is None else round(confidence, 4)
        body["warnings"] = [
            {"kind": each.kind, "path": each.path, "source": each.source}
            for each in result.warnings
        ]
    return body
