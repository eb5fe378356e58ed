"""The way from a command line to a command's module, and from its result to an exit code.

Imports neither ray nor torch.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from nmt.cli import console
from nmt.cli.rollout_options import ABOUT as ROLLOUT_ABOUT
from nmt.cli.rollout_options import ROLLOUT, add_rollout_options, rollout_options
from nmt.cli.traffic_options import (
    add_promotion_options,
    add_rollback_options,
    promotion_options,
)
from nmt.config import LoadedConfig, load_with_user_set
from nmt.runs.steps import CAMPAIGN, PIPELINE, PREPARE, STEPS, steps_of
from ray_jobs.runtime.logs import setup_logging


@dataclass(frozen=True, slots=True)
class Job:
    """A command that runs on a session, with its module in `ray_jobs` and its needs."""

    name: str
    about: str
    extra: str = "train"
    after: str = ""
    """Step that must be done. It is checked before the module is imported, which takes a while."""
    add_options: Callable[[argparse.ArgumentParser], None] | None = None
    """Adds options of its own."""
    read_options: Callable[[argparse.Namespace], object] | None = None
    """Reads these options as the second argument of its `run`."""
    takes_dry_run: bool = False
    """Whether it has the option `--dry-run`."""

    def run(self, loaded: LoadedConfig, options: argparse.Namespace) -> None:
        """Import the job's module and call its `run`."""
        # Imported here, so that `nmt --help` need not load them.
        from nmt.runs.records import require
        from nmt.runs.running import check_not_running
        from nmt.storage import Storage
        from ray_jobs.runtime.context import Session
        from ray_jobs.runtime.storage_location import absolute_storage, inside_job

        config = loaded.config
        storage = Storage(absolute_storage(config))
        if inside_job():
            # A submitted job may resolve a relative folder to another place than its user expects.
            logging.getLogger(__name__).info("storage: %s", storage.locate(""))
        if self.after:
            require(storage, config.run, STEPS[self.after])
        steps = STEPS.values() if self.name in (PIPELINE, CAMPAIGN) else steps_of(self.name, config)
        # Before the imports too: another process may be doing the same step.
        check_not_running(storage, config.run, steps)
        module = importlib.import_module(f"ray_jobs.{self.name}")
        session = Session(config, storage, loaded.user_set, restart=options.restart)
        if self.read_options:
            module.run(session, self.read_options(options))
        else:
            module.run(session)


_OTHERS = (
    Job(PIPELINE, "all steps in order, a report, and a check of the endpoint", "all"),
    Job(CAMPAIGN, "all steps with a search over methods, and the decision of the gate", "all"),
    Job(
        "promote",
        "let the endpoint serve a run's engine",
        "serve",
        "export",
        add_options=add_promotion_options,
        read_options=promotion_options,
    ),
    Job(
        "rollback",
        "end a canary or shadow, or return to the engine before this one",
        "serve",
        add_options=add_rollback_options,
        read_options=lambda options: options.route,
    ),
    Job(
        ROLLOUT,
        ROLLOUT_ABOUT,
        "serve",
        "export",
        add_options=add_rollout_options,
        read_options=rollout_options,
    ),
    Job("serve", "run the translation endpoint", "serve"),
)


def jobs() -> dict[str, Job]:
    """Return the commands that run on a session: the steps of a run, and what follows them."""
    steps = [
        Job(step.name, step.about, step.extra, step.required, takes_dry_run=step is PREPARE)
        for step in STEPS.values()
    ]
    return {job.name: job for job in (*steps, *_OTHERS)}


def main(name: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command as `python -m ray_jobs.NAME`, and exit."""
    job = jobs()[name]
    parser = argparse.ArgumentParser(prog=f"python -m ray_jobs.{name}", description=job.about)
    add_options(parser, job)
    options = parse(parser, arguments)
    sys.exit(guarded(lambda: run_job(job, options), extra=job.extra))


def add_options(parser: argparse.ArgumentParser, job: Job | None = None) -> None:
    """Add the options that every command takes, and those of one command."""
    if job and job.add_options:
        job.add_options(parser)
    if job and job.takes_dry_run:
        about = "print what would be dropped and which limits the data suggests; write nothing"
        parser.add_argument("--dry-run", action="store_true", help=about)
    parser.add_argument(
        "--config", action="append", default=[], metavar="FILE", help="YAML file; later files win"
    )
    parser.add_argument(
        "--restart", action="store_true", help="discard what an earlier call of the command made"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="setting, such as training.max_steps=500"
    )


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parse options and words in any order."""
    # `parse_args` refuses words after a later option.
    options, left = parser.parse_known_args(arguments)
    if any(word.startswith("-") for word in left):
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    options.overrides = [*options.overrides, *left]
    return options


def run_job(job: Job, options: argparse.Namespace) -> None:
    """Read the settings and run a command with them."""
    loaded = load_with_user_set(options.config, options.overrides)
    if job.takes_dry_run and options.dry_run:
        # Without a storage root, which would be created if it is missing.
        importlib.import_module(f"ray_jobs.{job.name}").dry_run(loaded.config)
        return
    job.run(loaded, options)


def guarded(action: Callable[[], int | None], *, extra: str) -> int:
    """Set up the log, run an action of `nmt`, and return its exit code."""
    setup_logging()
    after = ": run the same command again to resume"
    return console.guarded(action, program="nmt", extra=extra, after=after)
