"""The options of the command `translate`, in a terminal and as a job on Kubernetes."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from nmt.errors import InputError

TRANSLATE = "translate"
"""Name of the command and of its module below `ray_jobs`."""
BASE_SETTINGS: Mapping[str, Any] = {"strategy": {"type": "ddp"}}
"""Settings below those of the user."""
# `scaling.workers` above 1 is only valid with a strategy of several workers. A translation has
# workers and no strategy, so its users need not choose one.


@dataclass(frozen=True, slots=True)
class TranslationOptions:
    """What to translate, and in which form to write it."""

    input: str = ""
    """File, folder or URL; empty: words of the command line, or standard input."""
    output: str = ""
    """File, folder or URL of the translations."""
    column: str = ""
    """Name or number of the column to translate; empty: found by its name."""
    output_column: str = "translation"
    nbest: int = 1
    """Number of translations of each text."""
    mbr: int = 0
    """Number of translations to sample, of which those most like the others are taken; 0: search
    with beams."""
    confidence: bool = False
    """Whether to write the mean log-probability of the tokens beside each translation."""
    whole_lines: bool = False
    """Whether to translate a line at once, and not sentence by sentence."""
    shard_lines: int = 2000
    """Number of lines that are translated, stored and resumed together."""
    batch_tokens: int = 0
    """Maximum number of tokens in a batch; 0: chosen by the device."""

    def words(self) -> list[str]:
        """Write the options that differ from the defaults as words of a command line."""
        words: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            option = f"--{field.name.replace('_', '-')}"
            if value != field.default:
                words.append(option if value is True else f"{option}={value}")
        return words

    def check(self) -> None:
        """Refuse options that exclude each other.

        Raises:
            InputError: names the options.
        """
        if bool(self.input) != bool(self.output):
            given, missing = ("--input", "--output") if self.input else ("--output", "--input")
            raise InputError(f"{given} is given but {missing} is not: give both, or none")
        if self.column and not self.input:
            raise InputError("--column names a column of --input, which is not given")
        for option, value, lowest in (
            ("--nbest", self.nbest, 1),
            ("--mbr", self.mbr, 0),
            ("--shard-lines", self.shard_lines, 1),
            ("--batch-tokens", self.batch_tokens, 0),
        ):
            if value < lowest:
                raise InputError(f"{option} {value}: must be at least {lowest}")
        for option, value, highest in (
            ("--nbest", self.nbest, _MAX_CANDIDATES),
            ("--mbr", self.mbr, _MAX_SAMPLES),
        ):
            if value > highest:
                raise InputError(f"{option} {value}: must be at most {highest}")
        if self.mbr == 1:
            raise InputError("--mbr 1: there is nothing to choose from one sample: give 2 or more")
        if 0 < self.mbr < self.nbest:
            raise InputError(
                f"--nbest {self.nbest} is more than --mbr {self.mbr}: sample at least as many"
            )


_MAX_CANDIDATES = 16
"""Maximum of `serving.beam_size`."""
_MAX_SAMPLES = 1024
"""Maximum of `evaluation.mbr_samples`."""


def add_translation_options(parser: argparse.ArgumentParser, *, with_output: bool = True) -> None:
    """Add the options of `TranslationOptions`.

    Args:
        parser: of a command.
        with_output: whether to add `--output`, which may have another meaning for the command.
    """
    default = TranslationOptions()
    group = parser.add_argument_group("options of translate")
    add = group.add_argument
    place = "file, folder, s3:// or gs:// URL"
    add("--input", default="", metavar="PLACE", help=f"text to translate: {place}")
    if with_output:
        add("--output", default="", metavar="PLACE", help=f"where to write it: {place}")
    add("--column", default="", metavar="NAME|N", help="column to translate, by name or number")
    add(
        "--output-column",
        default=default.output_column,
        metavar="NAME",
        help="column of the translation (default: translation)",
    )
    add("--nbest", type=int, default=1, metavar="N", help="translations of each text (default: 1)")
    add(
        "--mbr",
        type=int,
        default=0,
        metavar="N",
        help="sample N translations, take the one most like the others in chrF (default: beams)",
    )
    add(
        "--confidence",
        action="store_true",
        help="add the mean log-probability of the tokens: 0 is certain",
    )
    add("--whole-lines", action="store_true", help="do not split lines into sentences")
    add(
        "--shard-lines",
        type=int,
        default=default.shard_lines,
        metavar="N",
        help=f"lines that are translated and resumed together (default: {default.shard_lines})",
    )
    add(
        "--batch-tokens",
        type=int,
        default=0,
        metavar="N",
        help="tokens of a batch (default: serving.max_batch_tokens, and 16 times that on a GPU)",
    )


def read_option_words(words: Sequence[str]) -> TranslationOptions:
    """Read back what `TranslationOptions.words` has written.

    Raises:
        InputError: options exclude each other.
    """
    parser = argparse.ArgumentParser(add_help=False)
    add_translation_options(parser)
    return translation_options(parser.parse_args(words))


def translation_options(options: argparse.Namespace, **changes: str) -> TranslationOptions:
    """Read and check the options of a parsed command line.

    Raises:
        InputError: options exclude each other.
    """
    names = {field.name for field in fields(TranslationOptions)} & vars(options).keys()
    found = TranslationOptions(**{name: getattr(options, name) for name in names - changes.keys()})
    found = replace(found, **changes)
    found.check()
    return found
