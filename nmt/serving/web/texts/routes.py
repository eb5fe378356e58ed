"""Choosing the route of a request by its languages and its domain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nmt.errors import ConfigError, shortened
from nmt.languages import languages, resolve_language
from nmt.serving.detection import Detection, detect_languages
from nmt.serving.errors import NoEngineError, UnknownDomainError, UnsupportedLanguageError
from nmt.serving.types import Served, ServedRoute
from nmt.serving.web.bodies.responses import NO_ENGINE
from nmt.serving.web.languages import AUTO, short_code

_MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """The languages and the domain that a request names."""

    source: str | None = None
    """Any code of a language; None for the one that the rest decides."""
    target: str | None = None
    domain: str | None = None

    @property
    def is_auto(self) -> bool:
        """Tell whether the endpoint has to detect the source language."""
        return self.source is not None and self.source.strip().lower() == AUTO


def choose_route(request: Wanted, served: Served) -> ServedRoute:
    """Choose the route whose engine translates a request.

    A request that names no language takes the languages of the default route; one that names a
    single language takes the only pair with it.

    Raises:
        NoEngineError: no engine is loaded.
        UnsupportedLanguageError: a language is unknown, or not exactly one pair fits.
        UnknownDomainError: the pair has no engine for this domain.
    """
    default = served.default
    names_language = request.source is not None or request.target is not None
    if default is None and not (names_language and served.routes):
        raise NoEngineError(NO_ENGINE)
    if default and not names_language:
        if request.domain is None:
            return default
        source, target = default.source_language, default.target_language
    else:
        source, target = _resolve_pair(request, served.routes)
    of_pair = [
        route
        for route in served.routes
        if (route.source_language, route.target_language) == (source, target)
    ]
    for route in of_pair:
        if route.domain == request.domain:
            return route
    raise _domain_error(request.domain, of_pair)


def _resolve_pair(request: Wanted, routes: Sequence[ServedRoute]) -> tuple[str, str]:
    """Find the one pair that a request with at least one language can mean."""
    source, target = _resolve(request.source, routes), _resolve(request.target, routes)
    pairs = dict.fromkeys((route.source_language, route.target_language) for route in routes)
    fitting = [pair for pair in pairs if source in (None, pair[0]) and target in (None, pair[1])]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        missing = "target" if target is None else "source"
        raise UnsupportedLanguageError(
            f"several pairs fit: name the {missing} too. {_offer(routes)}"
        )
    wanted = f"{source or 'any language'} to {target or 'any language'}"
    raise UnsupportedLanguageError(f"{wanted} is not served. {_offer(routes)}")


def detect_source(text: str, request: Wanted, served: Served) -> Detection:
    """Detect the source language of a request among those that it can mean.

    Args:
        text: without markup.
        request: whose source is not known.
        served: what is served.

    Raises:
        NoEngineError: no engine is loaded.
        UnsupportedLanguageError: the text is in a language that is not translated to the target.
    """
    if not served.routes:
        raise NoEngineError(NO_ENGINE)
    target = _resolve(request.target, served.routes)
    to_target = [each for each in served.routes if target in (None, each.target_language)]
    # A domain that no pair has is refused later, with the names of those that there are.
    fitting = [each for each in to_target if each.domain == request.domain] or to_target
    sources = list(dict.fromkeys(each.source_language for each in fitting))
    if not sources:
        wanted = f"any language to {target}"
        raise UnsupportedLanguageError(f"{wanted} is not served. {_offer(served.routes)}")
    found = detect_languages(text, sources)
    if not found:
        default = served.default
        is_default = default is not None and default.source_language in sources
        # Numbers and signs are the same in every language.
        return Detection(default.source_language if default and is_default else sources[0], 0.0)
    if found[0].language not in sources:
        raise UnsupportedLanguageError(
            f"the text seems to be {_language_name(found[0].language)}. If it is not, name the "
            f"source language. {_offer(served.routes)}"
        )
    return found[0]


def _domain_error(domain: str | None, of_pair: Sequence[ServedRoute]) -> UnknownDomainError:
    pair = _pair_name(of_pair[0].source_language, of_pair[0].target_language)
    known = sorted(route.domain for route in of_pair if route.domain is not None)
    offer = f"its domains: {_listed(known)}" if known else "leave the key out"
    if domain is None:
        return UnknownDomainError(f"{pair} needs a domain; {offer}")
    return UnknownDomainError(f"{pair} has no domain {shortened(domain)!r}; {offer}")


def _resolve(code: str | None, routes: Sequence[ServedRoute]) -> str | None:
    """Return the FLORES-200 code of a language that a request names, if it names one."""
    try:
        return resolve_language(code) if code is not None else None
    except ConfigError as error:
        raise UnsupportedLanguageError(f"{error} {_offer(routes)}") from None


def _offer(routes: Sequence[ServedRoute]) -> str:
    names = (_pair_name(route.source_language, route.target_language) for route in routes)
    return f"This endpoint translates {_listed(dict.fromkeys(names))}"


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - _MAX_LISTED
    text = ", ".join(known[:_MAX_LISTED])
    return f"{text} and {more} more: see /languages" if more > 0 else text


def _pair_name(source: str, target: str) -> str:
    return f"{_language_name(source)} to {_language_name(target)}"


def _language_name(code: str) -> str:
    return f"{languages()[code].name} ({short_code(code)}, {code})"
