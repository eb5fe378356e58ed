"""Several steps of a run one after the other, in one process with one connection to Ray."""

import argparse
import sys
from collections.abc import Sequence

from nmt.config import load_with_user_set
from ray_jobs.cli.runner import guarded, jobs


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the steps in the order in which they are given; exit code of the first that fails."""
    parser = argparse.ArgumentParser(prog="python -m ray_jobs.steps", description=__doc__)
    parser.add_argument("steps", metavar="STEP,STEP")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.set_defaults(restart=False)  # `supervise` has discarded what it was told to
    options = parser.parse_args(arguments)
    return guarded(lambda: _run(options), extra="train")


def _run(options: argparse.Namespace) -> None:
    loaded = load_with_user_set(overrides=options.overrides)
    from ray_jobs.runtime.connection import connect  # it imports ray, which bad settings need not

    with connect(loaded.config):
        for step in options.steps.split(","):
            jobs()[step].run(loaded, options)


if __name__ == "__main__":
    sys.exit(main())
