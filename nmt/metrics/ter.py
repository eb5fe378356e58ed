"""Translation edit rate, equal to sacreBLEU's, and its form for text without spaces between words.

Source: Snover et al. 2006, https://aclanthology.org/2006.amta-papers.25
"""

from collections.abc import Callable, Sequence

import numpy as np
import regex
from sacrebleu import __version__ as sacrebleu_version
from sacrebleu.tokenizers.tokenizer_ter import TercomTokenizer

from nmt.metrics.edit_rate import count_edits
from nmt.metrics.segment_statistics import SegmentStatistics
from nmt.metrics.texts import Streams, check_texts

# A letter with its marks, as a reader sees it: half of a Thai or Burmese syllable is not an edit.
_CHARACTER = regex.compile(r"\X")


def ter_statistics(
    hypotheses: Sequence[str],
    references: Streams,
    *,
    normalized: bool = False,
    ideographic: bool = False,
) -> SegmentStatistics:
    """Count the edits of words.

    Args:
        hypotheses: one for each sentence.
        references: streams of references.
        normalized: split off punctuation, so that a word with a full stop is not a wrong word.
        ideographic: let each ideogram count as a word; only with `normalized`.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    tokenizer = TercomTokenizer(normalized=normalized, asian_support=ideographic)
    written = {True: "yes", False: "no"}
    settings = (
        f"nrefs:{len(references)}|case:lc|tok:tercom|norm:{written[normalized]}|punct:yes|"
        f"asian:{written[ideographic]}|version:{sacrebleu_version}"
    )
    name = "ter-normalized" if normalized else "ter"
    return _count(name, settings, hypotheses, references, lambda line: tokenizer(line).split())


def character_ter_statistics(hypotheses: Sequence[str], references: Streams) -> SegmentStatistics:
    """Count the edits of characters: sacreBLEU's TER of text with a space after each.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    settings = (
        f"char-ter|nrefs:{len(references)}|case:lc|tok:grapheme-clusters|norm:no|punct:yes|"
        f"regex:{regex.__version__}|version:{sacrebleu_version}"
    )
    return _count("ter-char", settings, hypotheses, references, _characters)


def _characters(line: str) -> list[str]:
    return _CHARACTER.findall("".join(line.lower().split()))


def _count(
    name: str,
    signature: str,
    hypotheses: Sequence[str],
    references: Streams,
    split: Callable[[str], list[str]],
) -> SegmentStatistics:
    check_texts(hypotheses, references)
    counts: list[tuple[int, float]] = []
    for hypothesis, *others in zip(hypotheses, *references, strict=True):
        words = split(hypothesis.rstrip())
        targets = [split(reference.rstrip()) for reference in others]
        # The fewest edits, and the mean length of the references: sacreBLEU's choice.
        edits = min(count_edits(words, target) for target in targets)
        counts.append((edits, sum(map(len, targets)) / len(targets)))
    return SegmentStatistics(name, signature, np.array(counts, dtype=np.float64))
