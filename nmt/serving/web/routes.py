"""Choosing the route of a request by its languages and its domain."""

from collections.abc import Iterable, Sequence

from nmt.errors import ConfigError, shortened
from nmt.languages import languages, resolve_language
from nmt.serving.errors import NoEngineError, UnknownDomainError, UnsupportedLanguageError
from nmt.serving.types import Served, ServedRoute
from nmt.serving.web.requests import TranslateRequest
from nmt.serving.web.responses import NO_ENGINE, short_code

_MAX_LISTED = 10


def choose_route(request: TranslateRequest, served: Served) -> ServedRoute:
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


def _resolve_pair(request: TranslateRequest, routes: Sequence[ServedRoute]) -> tuple[str, str]:
    """Find the one pair that a request with at least one language can mean."""
    try:
        source = resolve_language(request.source) if request.source is not None else None
        target = resolve_language(request.target) if request.target is not None else None
    except ConfigError as error:
        raise UnsupportedLanguageError(f"{error} {_offer(routes)}") from None
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


def _domain_error(domain: str | None, of_pair: Sequence[ServedRoute]) -> UnknownDomainError:
    pair = _pair_name(of_pair[0].source_language, of_pair[0].target_language)
    known = sorted(route.domain for route in of_pair if route.domain is not None)
    offer = f"its domains: {_listed(known)}" if known else "leave the key out"
    if domain is None:
        return UnknownDomainError(f"{pair} needs a domain; {offer}")
    return UnknownDomainError(f"{pair} has no domain {shortened(domain)!r}; {offer}")


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
