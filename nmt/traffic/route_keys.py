"""The keys of routes, which name a language pair and a domain."""

import re
from dataclasses import dataclass

from nmt.errors import InputError, shortened

_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
LANGUAGE = "[a-z]{3}_[A-Z][a-z]{3}"
"""Pattern of a FLORES-200 code."""
_KEY = re.compile(
    rf"(?P<source>{LANGUAGE})-(?P<target>{LANGUAGE})(/(?P<domain>{_DOMAIN.pattern}))?"
)


@dataclass(frozen=True, slots=True)
class RouteName:
    """A language pair and a domain, which a route key names."""

    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    domain: str | None = None

    def __str__(self) -> str:
        return route_key(self.source_language, self.target_language, self.domain)


def route_key(source_language: str, target_language: str, domain: str | None = None) -> str:
    """Write the key of a route: `eng_Latn-tam_Taml`, or `eng_Latn-tam_Taml/medical`."""
    return f"{source_language}-{target_language}" + (f"/{domain}" if domain else "")


def parse_route_key(key: str) -> RouteName:
    """Read the key of a route.

    Raises:
        InputError: it does not have the form of a key.
    """
    found = _KEY.fullmatch(key)
    if found is None:
        raise InputError(
            f"'{shortened(key)}' is not a route: write SOURCE-TARGET or SOURCE-TARGET/DOMAIN, "
            "such as eng_Latn-tam_Taml/medical"
        )
    return RouteName(found["source"], found["target"], found["domain"])


def check_domain(domain: str) -> str:
    """Return the name of a domain if it is valid.

    Raises:
        InputError: it has other characters than a name may have.
    """
    if not _DOMAIN.fullmatch(domain):
        raise InputError(
            f"--domain '{shortened(domain)}': use 1 to 40 lower-case letters, digits and inner "
            "dashes, such as medical"
        )
    return domain
