"""Errors that are planted in pairs of a clean corpus: about thirty kinds, with several variants."""

import random
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

from planted_text import FOREIGN_SENTENCES, FOREIGN_WORDS


class Planted(NamedTuple):
    """A pair of the planted corpus."""

    source: str
    target: str
    kind: str
    """What was planted; `clean` for a pair as it was."""
    clean_source: str
    clean_target: str


class Corpus(NamedTuple):
    """The clean pairs that an error may borrow from, and the source of chance."""

    pairs: Sequence[tuple[str, str]]
    random: random.Random

    def other(self) -> tuple[str, str]:
        """Draw any pair."""
        return self.random.choice(self.pairs)


Plant = Callable[[str, str, Corpus], tuple[str, str]]


def _empty(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    blank = corpus.random.choice(["", " ", "\u200b", "\u00a0"])
    return (blank, target) if corpus.random.random() < 0.5 else (source, blank)


def _near_copy(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    changed = [source.upper(), source.rstrip(".!?"), f"{source} .", f"“{source}”", f"- {source}"]
    return source, corpus.random.choice([text for text in changed if text != source])


def _address_only(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    site = corpus.random.choice(["example.org", "www.example.com", "news.example.in"])
    address = f"https://{site}/{corpus.random.randrange(10**6)}"
    return corpus.random.choice([(address, target), (source, address), (address, address)])


def _romanised(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    latin = "".join(map(_latin_letter, target))
    # A Latin target cannot be romanised.
    return source, target if latin.casefold() == target.casefold() else latin


def _latin_letter(character: str) -> str:
    mark = unicodedata.category(character).startswith("M")
    if character.isascii() or not (character.isalpha() or mark):
        return character
    name = unicodedata.name(character, "X").split()
    return "" if name[-1] == "VIRAMA" else name[-1][:2].lower()


def _other_script(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    # The scripts of India are parallel in Unicode; other scripts get foreign sentences.
    shift = corpus.random.choice([0x0900, 0x0C00, 0x0D00])
    indic = [0x0900 <= ord(c) < 0x0E00 for c in target]
    if sum(indic) > len(target) / 2:
        moved = (
            chr(shift + (ord(c) - 0x900) % 0x80) if i else c
            for c, i in zip(target, indic, strict=True)
        )
        return source, "".join(c for c in moved if unicodedata.category(c) != "Cn")
    return source, " ".join(corpus.random.choices(FOREIGN_WORDS, k=8))


def _third_script(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    words = target.split()
    words.insert(corpus.random.randrange(len(words) + 1), corpus.random.choice(FOREIGN_WORDS))
    return source, " ".join(words)


def _very_long(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    others = [corpus.other() for _ in range(60)]
    return " ".join(pair[0] for pair in others), " ".join(pair[1] for pair in others)


def _decoded_as(encoding: str) -> Callable[[str], str]:
    def decode(text: str) -> str:
        # Bytes that the encoding leaves open become controls, as browsers do.
        data = text.encode()
        return "".join(
            bytes([b]).decode(encoding, "replace").replace("\ufffd", chr(b)) for b in data
        )

    return decode


def _mojibake_source(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    decode = _decoded_as(corpus.random.choice(["cp1252", "cp1252", "latin-1"]))
    if source.isascii():
        signs = ["’s", " – ", "é", "ü", " £5", "…", "“", "ñ"]
        words = source.split(" ")
        for sign in corpus.random.sample(signs, 2):
            words[corpus.random.randrange(len(words))] += sign
        source = " ".join(words)
    return decode(source), target


def _mojibake_target(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    decode = _decoded_as(corpus.random.choice(["cp1252", "latin-1"]))
    return source, decode(target if not target.isascii() else f"{target} – é")


def _removable_markup(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    opening, closing = corpus.random.choice(
        [
            ("<b>", "</b>"),
            ('<a href="/x?y=1">', "</a>"),
            ("<span class='q'>", "</span>"),
            ("<i>", "</i>"),
        ]
    )
    return f"{opening}{source}{closing}", f"{opening}{target}{closing}"


def _left_markup(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    left = corpus.random.choice(
        ["[[File:Map.png|thumb|{}]]", "{{{{cite web|url=x}}}} {}", '<img src="x.png" {}',
         '{} style="color:red">', "{} <br", "{} />", "[url=http://x.example]{}[/url]",
         "'''{}''' [[Category:Medicine]]", "{} <ref name=x", "&lt;p&gt;{}&amp;lt;/p&amp;gt;",
         "{} [[Help:Contents]]", '<td width="20" {}', "{} {{{{reflist}}}}"]
    )  # fmt: skip
    if corpus.random.random() < 0.5:
        return left.format(source), left.format(target)
    return source, left.format(target)


def _control_characters(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    return source, _inserted(target, corpus, "\x00\x01\x07\x08\x0e\x1b\x1c\x1d\x1e\x1f\x7f")


def _invisible_characters(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    return source, _inserted(
        target, corpus, "\u00ad\u200b\u200e\u200f\u202a\u202c\u2060\ufeff\u2066\u2069"
    )


def _inserted(text: str, corpus: Corpus, characters: str) -> str:
    letters = list(text)
    for _ in range(corpus.random.randint(1, 4)):
        letters.insert(corpus.random.randrange(len(letters) + 1), corpus.random.choice(characters))
    return "".join(letters)


def _foreign_source(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    language = corpus.random.choice(list(FOREIGN_SENTENCES))
    sentences = FOREIGN_SENTENCES[language]
    return " ".join(corpus.random.sample(sentences, corpus.random.randint(1, 2))), target


def _half_translated(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    share = corpus.random.uniform(0.4, 0.6)
    head, tail = _cut(target, share)[0], _cut(source, share)[1]
    return source, f"{head} {tail}" if corpus.random.random() < 0.5 else f"{tail} {head}"


def _truncated_target(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    return source, _truncated(target, corpus)


def _truncated_source(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    return _truncated(source, corpus), target


def _truncated(text: str, corpus: Corpus) -> str:
    kept = corpus.random.uniform(0.25, 0.6)
    if corpus.random.random() < 0.3:  # in the middle of a word, as a database field does
        return text[: max(int(len(text) * kept), 1)]
    return _cut(text, kept)[0]


def _cut(text: str, share: float) -> tuple[str, str]:
    words = text.split(" ")
    at = max(round(len(words) * share), 1)
    return (" ".join(words[:at]), " ".join(words[at:])) if len(words) > 1 else (
        text[: len(text) // 2], text[len(text) // 2 :]
    )  # fmt: skip


def _extra_sentence(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    other = corpus.other()
    if corpus.random.random() < 0.5:
        return f"{source} {other[0]}", target
    return source, f"{target} {other[1]}"


def _other_number(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    year, other = corpus.random.sample(range(1900, 2030), 2)
    digits = [i for i, c in enumerate(target) if c.isdigit()]
    if digits and corpus.random.random() < 0.7:
        at = corpus.random.choice(digits)
        changed = corpus.random.choice([d for d in "123456789" if d != target[at]])
        return source, target[:at] + changed + target[at + 1 :]
    return f"{source} ({year})", f"{target} ({other})"


def _repeated_words(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    words = target.split(" ")
    at, span = corpus.random.randrange(len(words)), corpus.random.choice([1, 1, 1, 2, 3])
    phrase = words[at : at + span]
    repeated = words[:at] + phrase * corpus.random.randint(5, 15) + words[at + span :]
    return source, " ".join(repeated)


def _long_word(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    text = corpus.random.choice([source, target])
    while len(text) < 90:
        text += corpus.random.choice(corpus.other())
    joined = "".join(filter(str.isalnum, text))[: corpus.random.randint(70, 120)]
    joined = joined.ljust(70, "x")
    return (
        (f"{source} {joined}", target) if text[0] == source[0] else (source, f"{target} {joined}")
    )


def _other_target(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    return source, corpus.other()[1]


def _identical(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    return source, source


def _swapped(source: str, target: str, corpus: Corpus) -> tuple[str, str]:
    return target, source


KINDS: dict[str, Plant] = {
    "empty": _empty,
    "copy": _identical,
    "near_copy": _near_copy,
    "swapped": _swapped,
    "address_only": _address_only,
    "romanised": _romanised,
    "other_script": _other_script,
    "third_script": _third_script,
    "very_long": _very_long,
    "mojibake_source": _mojibake_source,
    "mojibake_target": _mojibake_target,
    "removable_markup": _removable_markup,
    "left_markup": _left_markup,
    "control_characters": _control_characters,
    "invisible_characters": _invisible_characters,
    "foreign_source": _foreign_source,
    "half_translated": _half_translated,
    "truncated_target": _truncated_target,
    "truncated_source": _truncated_source,
    "extra_sentence": _extra_sentence,
    "other_number": _other_number,
    "repeated_words": _repeated_words,
    "long_word": _long_word,
    "other_target": _other_target,
}
"""Errors of single pairs by name."""
