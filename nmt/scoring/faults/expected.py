"""Numbers, addresses, names and placeholders of a source that a translation lacks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.data.cleaning.detection.numbers import find_number_readings, find_numbers, may_be_spelled
from nmt.scoring.faults.patterns import find_names, find_placeholders, find_urls, has_name


@dataclass(frozen=True, slots=True)
class Expected:
    """What a translation of one sentence has to keep: what the source has, and every reference."""

    # With the references, since a right translation may well drop something: `24/7` becomes
    # `always`, 2.5 million 25 lakh, and a web address that of another language.
    numbers: frozenset[str]
    known_numbers: frozenset[str]
    """Every number of the source and of the references, in any reading."""
    urls: frozenset[str]
    names: frozenset[str]
    placeholders: Counter[str]

    @property
    def flags(self) -> set[str]:
        """Return the flags that a translation of the sentence could have."""
        parts = {
            "numbers": self.numbers,
            "urls": self.urls,
            "names": self.names,
            "placeholders": self.placeholders,
        }
        return {flag for flag, items in parts.items() if items}

    def find_missing(self, hypothesis: str) -> set[str]:
        """Find the kinds of which a translation lacks something, as flags."""
        missing: set[str] = set()
        if self.numbers and self._lacks_number(hypothesis):
            missing.add("numbers")
        if self.urls and self.urls - find_urls(hypothesis):
            missing.add("urls")
        if self.names:
            lowered = hypothesis.lower()
            if not all(has_name(lowered, name) for name in self.names):
                missing.add("names")
        if self.placeholders and self.placeholders - find_placeholders(hypothesis):
            missing.add("placeholders")
        return missing

    def _lacks_number(self, hypothesis: str) -> bool:
        lacking = self.numbers - find_number_readings(hypothesis)
        if not all(map(may_be_spelled, lacking)):
            return True
        # A small number may be written as a word, unless another number is in its place.
        return bool(lacking and find_numbers(hypothesis) - self.known_numbers)


def find_expected(source: str, references: Sequence[str]) -> Expected:
    """Find what a translation of a sentence has to keep.

    Args:
        source: normalised.
        references: normalised, without those that are blank.
    """
    numbers, urls = find_numbers(source), find_urls(source)
    # Most names are written in another way in another language, so that a reference must show it.
    names = find_names(source) if references else set[str]()
    placeholders = find_placeholders(source)
    known = find_number_readings(source) if numbers else set[str]()
    for reference in references:
        if numbers:
            readings = find_number_readings(reference)
            numbers &= readings
            known |= readings
        if urls:
            urls &= find_urls(reference)
        if names:
            lowered = reference.lower()
            names = {name for name in names if name in reference and has_name(lowered, name)}
        if placeholders:
            placeholders &= find_placeholders(reference)
    return Expected(
        frozenset(numbers), frozenset(known), frozenset(urls), frozenset(names), placeholders
    )
