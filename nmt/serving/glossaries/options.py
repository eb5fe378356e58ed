"""The options of the command `glossaries`."""

import argparse

GLOSSARIES = "glossaries"
"""Name of the command."""
ABOUT = "add, list and remove the glossaries of an endpoint"
ACTIONS = ("add", "list", "remove")


def add_glossary_options(parser: argparse.ArgumentParser) -> None:
    """Add the words and options that a user gives."""
    parser.usage = "%(prog)s {add NAME FILE | list | remove NAME} [options] [key=value ...]"
    parser.epilog = (
        "FILE has a term, a tab and its translation on each line; or commas, if it ends in .csv"
    )
    add = parser.add_argument_group("options of add").add_argument
    add("--source", metavar="LANGUAGE", help="code of the language of the terms")
    add("--target", metavar="LANGUAGE", help="code of the language of their translations")
