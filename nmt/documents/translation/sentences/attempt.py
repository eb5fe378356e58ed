"""An attempt at a sentence: what the model is asked, and whether its answer is right."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nmt.decoding.settings import Search
from nmt.documents.document import WarningKind
from nmt.documents.translation.glossary import TermFinder
from nmt.documents.translation.guards import check_translation
from nmt.documents.translation.rounds import Memory, Request
from nmt.documents.translation.sentences.skeleton import Skeleton
from nmt.documents.translation.sentences.standins import restore_tokens, token
from nmt.documents.translator import Candidate
from nmt.text.normalise import normalise
from nmt.text.protected import has_fixed

_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,200}>|&#?\w{1,30};")
_TOKEN = re.compile("[\U000f0000-\U0010ffff]+")


@dataclass(frozen=True)
class Setting:
    """What all sentences of a document have in common."""

    source_language: str
    target_language: str
    search: Search
    wide_search: Search
    """For a second attempt, if the first one is doubtful."""
    glossary: Mapping[str, str]
    memory: Memory
    doubts: dict[tuple[str, str], tuple[WarningKind, ...]] = field(default_factory=dict)
    """What `check_translation` found, by sentence and translation."""

    @cached_property
    def finder(self) -> TermFinder:
        """Return what finds the terms of the glossary."""
        return TermFinder.of(self.glossary)

    def targets_of(self, request: Request) -> list[str]:
        """List the answers to a request, as `clean` returns them."""
        return [clean(answer) for answer in self.memory.answers[request]]

    def doubts_of(self, request: Request, target: str) -> tuple[WarningKind, ...]:
        """Find what makes the best answer to a request doubtful.

        Args:
            request: that was answered.
            target: the first of its `targets_of`.
        """
        key = (request.text, target)
        doubts = self.doubts.get(key)
        if doubts is None:
            languages = self.source_language, self.target_language
            doubts = self.doubts[key] = check_translation(*key, *languages)
        is_complete = self.memory.answers[request][0].is_complete
        return doubts if is_complete else (*doubts, "unfinished")


@dataclass(frozen=True)
class Attempt:
    """A form of a sentence that the model is asked to translate."""

    setting: Setting
    skeleton: Skeleton
    form: int
    """Of the stand-ins."""
    search: Search

    @cached_property
    def stand_ins(self) -> list[str]:
        """Return the stand-in of each token."""
        return self.skeleton.stand_ins(self.form)

    @cached_property
    def request(self) -> Request:
        """Return what the model is asked for."""
        return Request(self.skeleton.sent(self.stand_ins), self.search)

    @cached_property
    def candidates(self) -> list[tuple[str, Candidate]]:
        """Return the right candidates with their tokens restored; none if the best is wrong."""
        answers = self.setting.memory.answers[self.request]
        targets = map(self._restored, self.setting.targets_of(self.request))
        restored = list(zip(targets, answers, strict=True))
        right = [(target, answer) for target, answer in restored if target is not None]
        return right if restored[0][0] is not None else []

    @property
    def doubts(self) -> tuple[WarningKind, ...]:
        """Return what makes the best candidate doubtful."""
        return self.setting.doubts_of(self.request, self.setting.targets_of(self.request)[0])

    def _restored(self, answer: str) -> str | None:
        """Restore the tokens of an answer; return None if a protected word is lost or invented."""
        target = restore_tokens(answer, self.stand_ins)
        if (
            target is None
            or not self._keeps_order(target)
            or not is_usable(self.skeleton.text, target)
        ):
            return None
        names = self.skeleton.names
        if not names or answer.casefold() == self.request.text.casefold():
            return target
        return target if _has_all(target, names) else None

    def _keeps_order(self, target: str) -> bool:
        """Tell whether placeholders that are filled by position keep their order."""
        places = [
            target.index(token(index))
            for index, each in enumerate(self.skeleton.tokens)
            if each.is_positional
        ]
        return places == sorted(places)


def clean(answer: Candidate) -> str:
    """Return an answer with single spaces, and without characters that tokens consist of."""
    text = normalise(answer.text)
    return text if text.isprintable() else _TOKEN.sub("", text)


def is_usable(source: str, target: str) -> bool:
    """Tell whether a translation has words, and neither invented placeholders nor markup.

    Args:
        source: the sentence, with tokens.
        target: its translation, with tokens.
    """
    words = target if target.isprintable() else _TOKEN.sub(" ", target)
    if not any(map(str.isalnum, words)):
        return False
    if has_fixed(words):
        return False
    if "<" not in words and "&" not in words:
        return True
    found, own = (Counter(_MARKUP.findall(text.casefold())) for text in (words, source))
    return found <= own


def _has_all(target: str, names: Sequence[str]) -> bool:
    return all(target.count(name) >= names.count(name) for name in set(names))
