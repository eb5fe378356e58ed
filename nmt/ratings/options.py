"""The options of the command `ratings`.

Imports neither NumPy nor a format, so that `nmt --help` is quick.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt.errors import InputError, did_you_mean
from nmt.ratings.protocols import PROTOCOLS
from nmt.ratings.sheets.formats import FORMATS, Format

RATINGS = "ratings"
"""Name of the command."""
ABOUT = "let people rate translations: write blind sheets, import what comes back, decide"
ACTIONS = ("sheet", "import", "report")
EXAMPLES = """examples:
  nmt ratings sheet run=demo --systems base,engine --raters anna,ravi --output sheets
  nmt ratings sheet run=news --source news.en --reference news.ta --language ta \\
      --hypotheses google=google.ta ours=ours.ta --output sheets
  nmt ratings import sheets/batch-1-anna.csv sheets/batch-1-ravi.csv run=demo
"""


@dataclass(frozen=True, slots=True)
class RatingCommand:
    """A call of the command `ratings`."""

    action: str
    files: tuple[Path, ...] = ()
    """Of `import`."""
    name: str | None = None
    """Of the study; None: from test set and protocol, or the only one."""
    systems: tuple[str, ...] = ()
    test_set: str | None = None
    """None: `test`, or that of the study."""
    protocol: str | None = None
    """None, as the next five: the default of `Wishes`, or what the study was made with."""
    rows: int | None = None
    raters: tuple[str, ...] | None = None
    shared: int | None = None
    looks: int | None = None
    gain: float | None = None
    earlier: str | None = None
    """`RUN/STUDY` whose ratings say what a point of the metric is worth."""
    format: Format = "csv"
    output: Path | None = None
    replace: bool = False
    partial: bool = False


def add_rating_options(parser: argparse.ArgumentParser) -> None:
    """Add the words and options that a user gives, but for those of files."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "%(prog)s {sheet | import FILE... | report} [options] [key=value ...]"
    parser.epilog = EXAMPLES
    parser.add_argument("--name", help="name of the study (default: SET.PROTOCOL, or the only one)")
    _add_sheet_options(parser.add_argument_group("options of sheet"))
    add = parser.add_argument_group("options of import").add_argument
    about = "let these ratings replace others of the same rows"
    add("--replace", action="store_true", help=about)
    add("--partial", action="store_true", help="accept sheets that are not filled in completely")


def _add_sheet_options(group: "argparse._ArgumentGroup") -> None:
    add = group.add_argument
    add(
        "--systems",
        metavar="A,B",
        help="systems of the run's evaluation; the second is compared with the first "
        "(default: base,engine)",
    )
    add("--set", dest="test_set", help="test set of the run (default: test)")
    add(
        "--protocol",
        choices=list(PROTOCOLS),
        help="; ".join(f"{name}: {protocol.about}" for name, protocol in PROTOCOLS.items()),
    )
    add("--rows", type=int, metavar="N", help="sentences of a batch (default: 50)")
    add("--raters", metavar="N|NAMES", help="number or names of raters (default: 1)")
    about = "sentences of a batch that all raters get (default: a fifth)"
    add("--shared", type=int, metavar="N", help=about)
    add("--looks", type=int, metavar="N", help="batches to decide within (default: 6)")
    about = "least gain that matters, in points of 0-100 (default: 3; pairwise: 10)"
    add("--gain", type=float, metavar="POINTS", help=about)
    about = "finished study that says how ratings follow the metric (default: none)"
    add("--earlier", metavar="RUN/STUDY", help=about)
    add("--format", default="csv", choices=FORMATS, help="of the files (default: csv)")
    add("--output", type=Path, metavar="DIR", help="local folder for the files")


def rating_command(options: argparse.Namespace, words: Sequence[str]) -> RatingCommand:
    """Read and check the words and options of a parsed command line.

    Args:
        options: with those of `add_rating_options`.
        words: the action, and the files of an import.

    Raises:
        InputError: they do not fit.
    """
    action, *files = words or ("",)
    if action not in ACTIONS:
        asked = f"'{action}' is not an action" if action else "what to do?"
        raise InputError(
            f"ratings: {asked}: give sheet, import FILE... or report."
            f"{did_you_mean(action, ACTIONS)}"
        )
    if (action == "import") != bool(files):
        wanted = "give the files that have come back" if action == "import" else "takes no file"
        raise InputError(f"ratings {action}: {wanted}")
    if options.restart:
        raise InputError("ratings: --restart would lose what people have done: give another --name")
    if action == "sheet" and options.output is None:
        raise InputError("ratings sheet: give --output DIR, a local folder for the files")
    return RatingCommand(
        action=action,
        files=tuple(map(Path, files)),
        name=options.name,
        systems=_listed(options.systems),
        test_set=options.test_set,
        protocol=options.protocol,
        rows=options.rows,
        raters=_raters(options.raters) if options.raters else None,
        shared=options.shared,
        looks=options.looks,
        gain=options.gain,
        earlier=options.earlier,
        format=next(each for each in FORMATS if each == options.format),
        output=options.output,
        replace=options.replace,
        partial=options.partial,
    )


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def _raters(text: str) -> tuple[str, ...]:
    """Return the names of raters, which are numbers if only their number is given."""
    if text.isdecimal():
        return tuple(str(number + 1) for number in range(min(int(text), 100)))
    return _listed(text)
