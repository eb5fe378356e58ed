"""Tamil spelling and conjugation, English conjugation, and the moods a predicate can take."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from nmt.phrasebook.forms import LINK, Agreement, Subject, Tense, Verb, When
from nmt.phrasebook.verbs import HAVE, WANT
from nmt.text.pair import Pair

_HARD = frozenset("கசதப")
_VOWELS = frozenset("அஆஇஈஉஊஎஏஐஒஓஔ")
_PULLI = "்"
_SINGULAR_THIRD = {Agreement.HE, Agreement.SHE, Agreement.RESPECT, Agreement.IT}
_PRESENT_BE = {Agreement.I: "am"} | dict.fromkeys(_SINGULAR_THIRD, "is")
_PAST_BE = {Agreement.I: "was"} | dict.fromkeys(_SINGULAR_THIRD, "was")


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb with its objects and adverbs, which precede it in Tamil."""

    verb: Verb
    english: str = ""
    tamil: tuple[str, ...] = ()
    people: frozenset[str] = frozenset()
    """Keys of everybody mentioned, so that no subject acts on itself."""


NO_TIME = When("", "", frozenset(Tense))


def spell(parts: Iterable[str]) -> str:
    """Join Tamil words, with ஓர் before a vowel and a hard consonant doubled after a link."""
    words = " ".join(parts).split()
    return " ".join(_spell(word, following) for word, following in pairwise([*words, ""]))


def _spell(word: str, following: str) -> str:
    # Like "a" and "an": ஒரு becomes ஓர் before a vowel.
    if word == "ஒரு" and following[:1] in _VOWELS:
        return "ஓர்"
    stem = word.removesuffix(LINK)
    doubled = stem != word and following[:1] in _HARD
    return f"{stem}{following[0]}{_PULLI}" if doubled else stem


def sentence(english: Iterable[str], tamil: Iterable[str], mark: str = ".") -> Pair:
    """Build a pair: capitalise the English, spell the Tamil, and end both with the same mark."""
    source = " ".join(" ".join(english).split())
    return Pair(f"{source[:1].upper()}{source[1:]}{mark}", f"{spell(tamil)}{mark}")


def english_verb(verb: Verb, agreement: Agreement, tense: Tense) -> str:
    """Build the English verb of a subject and a tense."""
    if verb.base == "be":
        return _english_be(agreement, tense)
    if tense is Tense.NOW:
        return f"{_english_be(agreement, tense)} {verb.progressive}"
    if tense is Tense.HABIT:
        return verb.third if agreement in _SINGULAR_THIRD else verb.base
    return verb.past if tense is Tense.PAST else f"will {verb.base}"


def _english_be(agreement: Agreement, tense: Tense) -> str:
    if tense is Tense.FUTURE:
        return "will be"
    if tense is Tense.PAST:
        return _PAST_BE.get(agreement, "were")
    return _PRESENT_BE.get(agreement, "are")


def tamil_verb(verb: Verb, agreement: Agreement, tense: Tense) -> str:
    """Build the Tamil verb of a subject and a tense."""
    if tense is Tense.PAST:
        return _tamil_past(verb.tamil_past, agreement)
    if tense is Tense.FUTURE:
        return _tamil_future(verb, agreement)
    # The present of things in the plural takes -கின்ற- where all others take -கிற-.
    if agreement is Agreement.THINGS:
        return f"{verb.tamil_present.removesuffix('கிற')}கின்றன"
    return verb.tamil_present + agreement.value


def _tamil_past(stem: str, agreement: Agreement) -> str:
    # Stems in -இன drop it before the ending of a thing: ஓடினான், but ஓடியது and ஓடின.
    if agreement is Agreement.IT and stem.endswith("ின"):
        return f"{stem.removesuffix('ன')}யது"
    if agreement is Agreement.THINGS and stem.endswith("ின"):
        return stem
    return stem + agreement.value


def _tamil_future(verb: Verb, agreement: Agreement) -> str:
    # The future of things has one form for both numbers, made from the infinitive.
    if agreement in {Agreement.IT, Agreement.THINGS}:
        return f"{verb.infinitive}ும்"
    return verb.tamil_future + agreement.value


def negative_future(verb: Verb, agreement: Agreement) -> str:
    """Return the Tamil negative future."""
    if agreement in {Agreement.IT, Agreement.THINGS}:
        return f"{verb.infinitive}ாது"
    return f"{verb.infinitive} மாட்ட{agreement.value}"


def conditional(verb: Verb) -> str:
    """Return the Tamil "if" form, which is the same for every subject."""
    return f"{verb.tamil_past}ால்"


def passive(verb: Verb) -> Verb:
    """Return a regular verb's passive, in the past and the future only."""
    # The auxiliary படு conjugates, so a passive is a verb with the same kinds of stems.
    stem = f"{verb.infinitive}ப்பட"
    return Verb(
        base=f"be {verb.past}",
        third=f"is {verb.past}",
        past=f"was {verb.past}",
        progressive=f"being {verb.past}",
        tamil_present=f"{stem}ுகிற",
        tamil_past=f"{stem}்ட",
        tamil_future=f"{stem}ுவ",
        infinitive=stem,
        imperative="",  # nobody is asked to be examined
        tags=frozenset(),
        objects=(),
    )


def as_question(finite: str) -> str:
    """Turn a Tamil finite verb into its yes/no question."""
    if finite.endswith((_PULLI, "ு")):
        return f"{finite[:-1]}ா"
    return f"{finite}யா" if finite.endswith("ை") else f"{finite}வா"


def statement(subject: Subject, predicate: Predicate, tense: Tense, time: When) -> Pair:
    """Say that somebody does something."""
    verb = english_verb(predicate.verb, subject.agreement, tense)
    finite = tamil_verb(predicate.verb, subject.agreement, tense)
    return sentence(
        (subject.english, verb, predicate.english, time.english),
        (time.tamil, subject.tamil, *predicate.tamil, finite),
    )


def negation(subject: Subject, predicate: Predicate, tense: Tense, time: When) -> Pair:
    """Say that somebody did not or will not do something."""
    past = tense is Tense.PAST
    verb = predicate.verb
    # -இல்லை is the same for every subject; only the future agrees with it.
    no = f"{verb.infinitive}வில்லை" if past else negative_future(verb, subject.agreement)
    english_no = "did not" if past else "will not"
    return sentence(
        (subject.english, english_no, verb.base, predicate.english, time.english),
        (time.tamil, subject.tamil, *predicate.tamil, no),
    )


def question(
    subject: Subject,
    predicate: Predicate,
    tense: Tense,
    time: When,
    word: tuple[str, str] = ("", ""),
) -> Pair:
    """Ask whether somebody does something or, with a question word, when, where or why."""
    helper, verb = _inverted(predicate.verb, subject.agreement, tense)
    finite = tamil_verb(predicate.verb, subject.agreement, tense)
    # A question word already makes the question: the verb then keeps its plain form.
    ending = finite if word[1] else as_question(finite)
    return sentence(
        (word[0], helper, subject.english, verb, predicate.english, time.english),
        (time.tamil, subject.tamil, word[1], *predicate.tamil, ending),
        "?",
    )


def _inverted(verb: Verb, agreement: Agreement, tense: Tense) -> tuple[str, str]:
    if tense is Tense.PAST and verb.base != "be":
        return "did", verb.base
    if tense is Tense.HABIT and verb.base != "be":
        return auxiliary(agreement), verb.base
    first, _, rest = english_verb(verb, agreement, tense).partition(" ")
    return first, rest


def auxiliary(agreement: Agreement) -> str:
    """Return "do" or "does"."""
    return "does" if agreement in _SINGULAR_THIRD else "do"


def possession(owner: Subject, agreement: Agreement, what: str, tamil: str, tense: Tense) -> Pair:
    """Say that somebody has something."""
    # The Tamil verb agrees with the thing, not with its owner.
    return sentence(
        (owner.english, english_verb(HAVE, owner.agreement, tense), what),
        (owner.tamil, tamil, tamil_verb(HAVE, agreement, tense)),
    )


def possession_question(
    owner: Subject, agreement: Agreement, what: str, tamil: str, tense: Tense
) -> Pair:
    """Ask whether somebody has something."""
    helper, have = _inverted(HAVE, owner.agreement, tense)
    return sentence(
        (helper, owner.english, have, what),
        (owner.tamil, tamil, as_question(tamil_verb(HAVE, agreement, tense))),
        "?",
    )


def wish(subject: Subject, predicate: Predicate, tense: Tense) -> Pair:
    """Say that somebody wants or wanted to do something."""
    wants = english_verb(WANT, subject.agreement, tense)
    wanting = tamil_verb(WANT, subject.agreement, tense)
    return sentence(
        (subject.english, wants, "to", predicate.verb.base, predicate.english),
        (subject.tamil, *predicate.tamil, predicate.verb.infinitive, wanting),
    )


def request(predicate: Predicate, time: When, polite: bool) -> Pair:
    """Ask somebody politely, or forbid it with "do not"."""
    verb = predicate.verb
    ending = verb.imperative if polite else f"{verb.infinitive}ாதீர்கள்"
    return sentence(
        ("please" if polite else "do not", verb.base, predicate.english, time.english),
        ("தயவுசெய்து" if polite else "", time.tamil, *predicate.tamil, ending),
    )
