"""The inputs of a preparation, each with the rules for its pairs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nmt.config import DataConfig
from nmt.config.sections.cleaning import CleaningConfig, Mismatch
from nmt.config.sections.evaluation import TestSetConfig
from nmt.data.apart import require_distinct_files
from nmt.data.formats.rows import BadRows, RawPair
from nmt.data.preparation.blocks import BlockRules
from nmt.data.read import Role, open_inputs
from nmt.data.test_sets import TestSet
from nmt.errors import DataError

PHRASEBOOK_LANGUAGES = ("eng_Latn", "tam_Taml")


@dataclass(frozen=True)
class Part:
    """One input: its pairs, and how they are processed."""

    name: str
    """`train` for `data.path`, `domain` and `general` for the phrasebook, else a corpus's or test
    set's name."""
    role: Role
    rules: BlockRules
    rows: Iterator[RawPair] = field(default_factory=lambda: iter(()))
    """Once, in order."""
    bad: BadRows = field(default_factory=BadRows)
    """Complete when the rows have been read."""
    tagged: bool = False
    """Whether it is a corpus with a tag, from which nothing is held out."""
    named: bool = False
    """Whether it is one of `data.corpora`."""
    generated: bool = False
    """Whether it is from the phrasebook, whose sentences are alike by design."""
    test_set: TestSet | None = None
    """The named test set that its pairs are from."""


def open_parts(data: DataConfig, sets: Mapping[str, TestSetConfig], seed: int) -> Iterator[Part]:
    """Open the inputs one after another.

    Raises:
        DataError: an input cannot be read, or two settings name the same file.
        UnavailableError: the hub cannot be reached.
    """
    require_distinct_files(data)
    if data.is_phrasebook:
        yield from _phrasebook(data, seed)
    for given in open_inputs(data, sets):
        corpus = data.corpora.get(given.name) if given.role == "corpus" else None
        rules = BlockRules(
            data.source_language,
            data.target_language,
            seed,
            _cleaning(data, given.name, given.role),
            corpus.min_score if corpus else None,
            keeps_all=given.role in ("test", "set"),
        )
        yield Part(
            given.name,
            given.role,
            rules,
            given.rows,
            given.bad,
            tagged=corpus is not None and corpus.tag is not None,
            named=corpus is not None,
            test_set=given.test_set,
        )


def basic_rules(cleaning: CleaningConfig) -> CleaningConfig:
    """Leave out the rules that may be wrong about a pair that a person has chosen."""
    return cleaning.model_copy(
        update={
            "max_ratio_deviation": None,
            "min_language_confidence": None,
            "max_word_repetitions": None,
            "max_word_characters": None,
            "drop_mojibake": False,
            "drop_unequal_sentences": False,
            "drop_truncated": False,
            "numbers": _not_dropped(cleaning.numbers),
            "urls": _not_dropped(cleaning.urls),
            "max_targets_per_source": None,
            "max_similarity": 1.0,
        }
    )


def _not_dropped(mismatch: Mismatch) -> Mismatch:
    return "flag" if mismatch == "drop" else mismatch


def _cleaning(data: DataConfig, name: str, role: Role) -> CleaningConfig:
    if role != "corpus":
        return basic_rules(data.cleaning)
    return data.corpora[name].cleaning if name in data.corpora else data.cleaning


def _phrasebook(data: DataConfig, seed: int) -> Iterator[Part]:
    from nmt.phrasebook import domain_pairs, general_pairs

    languages = (data.source_language, data.target_language)
    if sorted(languages) != sorted(PHRASEBOOK_LANGUAGES):
        raise DataError(
            f"the built-in phrasebook is English and Tamil, not {' and '.join(languages)}: "
            "set data.path to text in these languages"
        )
    drawn = {
        "domain": domain_pairs(data.phrasebook.domain_pairs, seed),
        "general": general_pairs(data.phrasebook.general_pairs, seed),
    }
    # Its sentences follow a few patterns, which other rules take for repeated text.
    rules = BlockRules(*languages, seed, basic_rules(data.cleaning))
    swapped = languages != PHRASEBOOK_LANGUAGES
    for name, pairs in drawn.items():
        rows = [
            RawPair(pair.target, pair.source, line)
            if swapped
            else RawPair(pair.source, pair.target, line)
            for line, pair in enumerate(pairs, start=1)
        ]
        yield Part(name, "corpus", rules, iter(rows), generated=True)
