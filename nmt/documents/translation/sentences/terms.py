"""Terms of a glossary in the sentences of a document."""

from collections.abc import Sequence

from nmt.documents.translation.glossary import Term, find_missing
from nmt.documents.translation.sentences.attempt import Attempt
from nmt.documents.translation.sentences.skeleton import Skeleton, Token


def missing_terms(attempt: Attempt, terms: Sequence[Term]) -> list[Term]:
    """List the terms of a sentence whose translation is not in the answer.

    Args:
        attempt: at the sentence.
        terms: of the sentence.
    """
    if not terms or not attempt.candidates:
        return list(terms)
    target, language = attempt.candidates[0][0], attempt.setting.target_language
    # A term that is a token is there for certain.
    certain = [each.replacement for each in attempt.skeleton.tokens if each.replacement is not None]
    return find_missing(target, terms, language, certain)


def term_tokens(skeleton: Skeleton, terms: Sequence[Term]) -> list[Token]:
    """Make tokens of terms, but of those with a code inside.

    Args:
        skeleton: of the sentence, in which the terms were found.
        terms: of the sentence.
    """
    tokens: list[Token] = []
    for term in terms:
        start = skeleton.position(term.start)
        end = start + term.end - term.start
        if skeleton.flat.text[start:end] == skeleton.text[term.start : term.end]:
            tokens.append(Token(start, end, term.target))
    return tokens
