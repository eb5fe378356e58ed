"""The options of `nmt-k8s`."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from nmt import __version__
from nmt.access.options import ABOUT, KEYS, USAGE, add_hash_option, add_key_options
from nmt.cli.console import split_words
from nmt.cli.traffic_options import (
    TRAFFIC,
    TRAFFIC_ABOUT,
    add_promotion_options,
    add_rollback_options,
    add_traffic_options,
)
from nmt.cli.translation import add_translation_options

_ABOUT = "Run jobs of an installed release on Kubernetes, and choose what its endpoint serves."
_EXAMPLES = """examples:
  nmt-k8s doctor                                   check the cluster and the release
  nmt-k8s submit pipeline run=demo                 run all steps as one job, and wait for it
  nmt-k8s submit train run=demo --workers gpu      run one step on another worker group
  nmt-k8s submit export evaluate run=demo          run two steps as one job
  nmt-k8s submit translate --input s3://bucket/mono.ta --output s3://bucket/mono.en run=demo
  nmt-k8s logs demo-train-1f2e3d --follow          wait for a running job again
  nmt-k8s promote run=demo                         let the endpoint serve the run's engine
  nmt-k8s keys create website                      let another program call the endpoint

exit codes: the job's own; 2 bad input; 3 an error of the cluster; 4 cancelled by somebody else;
130 and 143 detached by Ctrl-C and SIGTERM, while the job keeps running
"""

_COMMANDS = {
    "submit": ("STEP|key=value", "run steps or a translation as a job and wait for its end"),
    "logs": ("NAME|key=value", "print the log of a job; --follow waits for its end"),
    "status": ("NAME|run=RUN", "show the state of the release, a job, or a run"),
    "list": ("", "list the jobs of the release"),
    "cancel": ("NAME", "stop a job and keep its checkpoints"),
    "promote": ("run=RUN", "let the endpoint serve the engine of a run"),
    "rollback": ("key=value", "end a canary or shadow, or return to the previous engine"),
    TRAFFIC: ("key=value", TRAFFIC_ABOUT),
    KEYS: (USAGE, ABOUT),
    "doctor": ("", "check the cluster and the release"),
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse options and words in any order."""
    # argparse does not accept positional words after a later option, so they are collected here.
    parser = _parser()
    options, left = parser.parse_known_args(arguments)
    unknown = [word for word in left if word.startswith("-")]
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    words = [*options.words, *left]
    options.operands, options.overrides = split_words(words)
    for name, default in _DEFAULTS.items():
        setattr(options, name, getattr(options, name, default))
    _read_output(parser, options)
    return options


def _read_output(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Take `--output` as the format of the answer, or as the place of a translation."""
    given: list[str] = options.output
    formats = [word for word in given if word in _FORMATS]
    places = [word for word in given if word not in _FORMATS]
    if len(places) > 1 or (places and not getattr(options, "input", "")):
        listed = ", ".join(_FORMATS)
        parser.error(f"argument -o/--output: invalid choice: '{places[0]}' (choose from {listed})")
    options.output = formats[-1] if formats else "text"
    options.place = places[0] if places else ""


_FORMATS = ("text", "yaml", "json")

# Set after parsing, since SUPPRESS leaves out options that were not given.
_DEFAULTS: dict[str, object] = {
    "release": None,
    "namespace": None,
    "context": None,
    "storage": None,
    "output": [],
    "dry_run": False,
}


def _parser() -> argparse.ArgumentParser:
    common = _common()
    parser = argparse.ArgumentParser(
        prog="nmt-k8s",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"nmt-k8s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    files = "YAML file of settings; later files override earlier ones"
    for name, (words, about) in _COMMANDS.items():
        # `common` again, so that the options may also be after the command.
        command = commands.add_parser(name, help=about, description=about, parents=[common])
        command.add_argument("--config", action="append", default=[], metavar="FILE", help=files)
        command.add_argument("words", nargs="*", metavar=words or "key=value")
        if name in _OPTIONS:
            _OPTIONS[name](command)
    return parser


def _common() -> argparse.ArgumentParser:
    """Define the options that may be before or after the command."""
    # SUPPRESS keeps the parser of the command from resetting an option given before it.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--release", metavar="NAME", help="name of the release, if there are several"
    )
    common.add_argument("-n", "--namespace", help="namespace (default: the context's)")
    common.add_argument("--context", help="context of the kubeconfig (default: the current one)")
    common.add_argument("--dry-run", action="store_true", help="print objects, change nothing")
    # `submit translate --output PLACE` uses the same option.
    common.add_argument(
        "-o",
        "--output",
        action="append",
        metavar="FORMAT|PLACE",
        help="text, yaml or json; for `submit translate`, also the place of the translations",
    )
    common.add_argument("--storage", metavar="URL", help="storage root to use without a cluster")
    return common


def _submit(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--workers", default="", metavar="GROUP", help="worker group of the release")
    add(
        "--pods",
        type=int,
        metavar="N",
        help="number of worker Pods (default: as many as are needed)",
    )
    add("--image", default="", help="image of the Ray Pods (default: the release's)")
    add("--working-dir", type=Path, metavar="DIR", help="folder of code to run in the job")
    add("--name", default="", help="name of the job (default: from run and step)")
    add("--restart", action="store_true", help="discard earlier results of the steps")
    add("--retries", type=int, metavar="N", help="retries after a lost Pod or process")
    add("--deadline", type=int, metavar="SECONDS", help="time limit of the job")
    add("--pending-timeout", type=int, metavar="SECONDS", help="time limit for its Pods to start")
    add("--queue", default="", metavar="NAME", help="Kueue LocalQueue that admits the job")
    add("--to", default="", metavar="CLUSTER", help="running RayCluster that runs the job")
    add("--detach", action="store_true", help="do not wait for the job")
    add("--verbose", action="store_true", help="keep what Ray says about itself in the log")
    add_translation_options(parser, with_output=False)


def _logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", "-f", action="store_true", help="wait for the end of the job")
    parser.add_argument("--tail", type=int, metavar="N", help="print only the last N lines")


def _keys(parser: argparse.ArgumentParser) -> None:
    add_key_options(parser)
    add_hash_option(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    about = "start no Pod to look at the storage"
    parser.add_argument("--quick", action="store_true", help=about)


_OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "submit": _submit,
    "logs": _logs,
    "promote": add_promotion_options,
    "rollback": add_rollback_options,
    TRAFFIC: add_traffic_options,
    KEYS: _keys,
    "doctor": _doctor,
}
