"""Web and mail addresses of both sides."""

import regex

# Only ASCII, since a language may add an ending without a space: `https://example.org/-ல்`.
_ADDRESS = regex.compile(
    r"(?:https?://|www\.)[!-~]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", regex.ASCII | regex.IGNORECASE
)


def may_have_address(text: str) -> bool:
    """Tell quickly whether a text may have an address."""
    return "://" in text or "www." in text or "@" in text


def addresses_of(text: str) -> set[str]:
    """Find the addresses of a text, without punctuation at their ends, scheme and case."""
    found = (address[0].casefold().rstrip(".,;:!?)]}>\"'-/") for address in _ADDRESS.finditer(text))
    return {address.removeprefix("https://").removeprefix("http://") for address in found}


def without_addresses(text: str) -> str:
    """Remove the addresses from a text."""
    return _ADDRESS.sub("", text)
