"""The console command `nmt`, whose help and settings need neither ray nor torch."""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

import yaml

from nmt import __version__
from nmt.access.options import ABOUT as ABOUT_KEYS
from nmt.access.options import KEYS, add_key_options
from nmt.cli.traffic_options import TRAFFIC, TRAFFIC_ABOUT, add_traffic_options
from nmt.cli.translation import TRANSLATE, add_translation_options
from nmt.config import Config, load_config, load_with_user_set
from nmt.provenance.options import ABOUT as ABOUT_PROVENANCE
from nmt.provenance.options import PROVENANCE, add_provenance_options
from nmt.ratings.options import ABOUT as ABOUT_RATINGS
from nmt.ratings.options import RATINGS, add_rating_options
from nmt.runs.steps import PIPELINE
from nmt.serving.feedback.options import ABOUT as ABOUT_FEEDBACK
from nmt.serving.feedback.options import FEEDBACK, add_feedback_options
from nmt.serving.glossaries.options import ABOUT as ABOUT_GLOSSARIES
from nmt.serving.glossaries.options import GLOSSARIES, add_glossary_options
from ray_jobs.cli.runner import add_options, guarded, jobs, parse, run_job
from ray_jobs.scoring.options import ABOUT, SCORE, add_file_options, add_scoring_options

_ABOUT = "Fine-tune a translation model, compare it with its base, and serve the better one."
_EXAMPLES = """examples:
  nmt quickstart                                  all steps on built-in data
  nmt prepare data.path=corpus.tmx run=demo       read, clean and split your own
  nmt pipeline --config configs/en_ta_lora.yaml   NLLB-200 600M, English to Tamil
  nmt translate "The doctor is at home." run=demo
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code of the process."""
    options = parse(_parser(), arguments)
    action: Callable[[argparse.Namespace], int | None] = options.action
    return guarded(lambda: action(options), extra=options.extra)


def run_module(name: str) -> NoReturn:
    """Run the command of a module that was given as `python -m ray_jobs.NAME`, and exit."""
    sys.exit(main([name, *sys.argv[1:]]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nmt",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"nmt {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_config(commands)
    for job in jobs().values():
        command = commands.add_parser(job.name, help=job.about, description=job.about)
        add_options(command, job)
        # `job=job` binds the job of this turn of the loop, not that of the last one.
        command.set_defaults(action=lambda options, job=job: run_job(job, options), extra=job.extra)
    _add(commands, "quickstart", "run all steps on built-in data, in three minutes", _quickstart)
    _add(commands, "doctor", "check this machine, and say what to do about each problem", _doctor)
    plan = _add(commands, "plan", "estimate memory, time and cost of a training", _plan)
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    about = "translate text, lines from standard input, or files"
    add_translation_options(_add(commands, TRANSLATE, about, _translate, "serve"))
    add_scoring_options(_add(commands, SCORE, ABOUT, _score, "train"))
    ratings = _add(commands, RATINGS, ABOUT_RATINGS, _ratings, "train")
    add_rating_options(ratings)
    add_file_options(ratings.add_argument_group("options of sheet, for systems outside a run"))
    add_key_options(_add(commands, KEYS, ABOUT_KEYS, _keys, "serve"))
    add_feedback_options(_add(commands, FEEDBACK, ABOUT_FEEDBACK, _feedback, "serve"))
    glossaries = _add(commands, GLOSSARIES, ABOUT_GLOSSARIES, _glossaries, "serve")
    add_glossary_options(glossaries)
    provenance = _add(commands, PROVENANCE, ABOUT_PROVENANCE, _provenance, "serve")
    add_provenance_options(provenance)
    traffic = _add(commands, TRAFFIC, TRAFFIC_ABOUT, _traffic, "serve")
    add_traffic_options(traffic)
    traffic.add_argument("--json", action="store_true", help="print all of it as JSON")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    action: Callable[[argparse.Namespace], int | None],
    extra: str = "all",
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about, description=about)
    add_options(command)
    command.set_defaults(action=action, extra=extra)
    return command


def _add_config(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "show the resolved settings, their schema, or check them"
    command = commands.add_parser("config", help=about, description=about)
    command.add_argument("what", choices=("show", "schema", "check"))
    add_options(command)
    command.set_defaults(action=_config, extra="train")


def _config(options: argparse.Namespace) -> None:
    if options.what == "schema":
        schema = Config.model_json_schema()
        sys.stdout.write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        return
    loaded = load_with_user_set(options.config, options.overrides)
    if options.what == "check":
        sys.stdout.write(f"{len(loaded.user_set)} settings given, all of them valid\n")
        return
    plain = loaded.config.model_dump(mode="json")
    sys.stdout.write(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))


def _quickstart(options: argparse.Namespace) -> None:
    # First, so that the user's own files win over it.
    options.config = [quickstart_file(), *options.config]
    run_job(jobs()[PIPELINE], options)


def quickstart_file() -> Path:
    """Return the settings file of the quickstart."""
    # Part of the package, so that it exists in an installed wheel too.
    return Path(str(files("ray_jobs") / "quickstart.yaml"))


def _translate(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{TRANSLATE}").run(options)


def _score(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{SCORE}").run(options)


def _ratings(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{RATINGS}").run(options)


def _keys(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{KEYS}").run(options)


def _feedback(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{FEEDBACK}").run(options)


def _glossaries(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{GLOSSARIES}").run(options)


def _provenance(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{PROVENANCE}").run(options)


def _traffic(options: argparse.Namespace) -> None:
    importlib.import_module(f"ray_jobs.{TRAFFIC}").run(options)


def _doctor(options: argparse.Namespace) -> None:
    from ray_jobs.cli.doctor import report

    report(load_config(options.config, options.overrides))


def _plan(options: argparse.Namespace) -> int:
    config = load_config(options.config, options.overrides)
    return importlib.import_module("ray_jobs.plan").forecast(config, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
