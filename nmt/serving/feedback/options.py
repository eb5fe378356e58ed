"""The options of the command `feedback`."""

import argparse

FEEDBACK = "feedback"
"""Name of the command."""
ABOUT = "show the feedback on translations, and export corrections as training data"
ACTIONS = ("list", "export")


def add_feedback_options(parser: argparse.ArgumentParser) -> None:
    """Add the words and options that a user gives."""
    parser.usage = "%(prog)s {list | export FILE.jsonl} [options] [key=value ...]"
    add = parser.add_argument_group("options of export").add_argument
    add(
        "--languages",
        metavar="PAIR",
        help="only this language pair, such as eng_Latn-tam_Taml (default: all)",
    )
    add(
        "--key",
        action="append",
        default=[],
        metavar="ID",
        help="only what was sent with this API key; may be repeated (default: all)",
    )
