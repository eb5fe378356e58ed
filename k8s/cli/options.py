"""The command line of `nmt-k8s`."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from nmt import __version__
from nmt.cli.console import FORCE_HELP, is_override

_ABOUT = "Run jobs of an installed release on Kubernetes, and say what its endpoint serves."
_EXAMPLES = """examples:
  nmt-k8s doctor                                   what the cluster has and lacks
  nmt-k8s submit pipeline run=demo                 a job of its own, followed to its end
  nmt-k8s submit train run=demo --workers gpu      on another worker group
  nmt-k8s logs demo-train-1f2e3d --follow          come back to a job
  nmt-k8s promote run=demo                         let the endpoint serve its engine

exit codes: the job's own; 2 bad input; 3 the cluster's fault; 4 cancelled by somebody else;
130 and 143 detached by Ctrl-C and SIGTERM, the job goes on
"""

_COMMANDS = {
    "submit": ("STEP|key=value", "run a step as a job and follow it to its end"),
    "logs": ("NAME|key=value", "the log of a job; --follow comes back to one that runs"),
    "status": ("NAME|run=RUN", "how the release, a job, or a run stands"),
    "list": ("", "the jobs of the release"),
    "cancel": ("NAME", "stop a job; its checkpoints stay"),
    "promote": ("run=RUN", "let the endpoint serve the engine of a run"),
    "rollback": ("key=value", "let the endpoint serve the engine before this one"),
    "traffic": ("key=value", "what the endpoint serves, and how each replica follows"),
    "doctor": ("", "what the cluster and the release have and lack"),
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options and words in any order: argparse alone takes no words after a later option."""
    parser = _parser()
    options, left = parser.parse_known_args(arguments)
    unknown = [word for word in left if word.startswith("-")]
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    words = [*options.words, *left]
    options.overrides = [word for word in words if is_override(word)]
    options.operands = [word for word in words if not is_override(word)]
    for name, default in _DEFAULTS.items():
        setattr(options, name, getattr(options, name, default))
    return options


_DEFAULTS = {
    "release": None,
    "namespace": None,
    "context": None,
    "storage": None,
    "output": "text",
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
    files = "YAML file; later ones win"
    for name, (words, about) in _COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about, parents=[common])
        command.add_argument("--config", action="append", default=[], metavar="FILE", help=files)
        command.add_argument("words", nargs="*", metavar=words or "key=value")
        _OPTIONS.get(name, _none)(command)
    return parser


def _common() -> argparse.ArgumentParser:
    """Options before or behind the command; one that is not given leaves the other alone."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--release", metavar="NAME", help="needed where a namespace has several")
    common.add_argument("-n", "--namespace", help="instead of the context's")
    common.add_argument("--context", help="of the kubeconfig, instead of the current one")
    common.add_argument("--dry-run", action="store_true", help="print objects, change nothing")
    common.add_argument("-o", "--output", choices=("text", "yaml", "json"))
    common.add_argument("--storage", metavar="URL", help="a storage root at hand; needs no cluster")
    return common


def _submit(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--workers", default="", metavar="GROUP", help="worker group of the release")
    add("--pods", type=int, metavar="N", help="worker Pods, instead of as many as are needed")
    add("--image", default="", help="instead of the release's")
    add("--working-dir", type=Path, metavar="DIR", help="code to run instead of the image's")
    add("--name", default="", help="of the job; made from run and step otherwise")
    add("--restart", action="store_true", help="discard what the step has made")
    add("--retries", type=int, metavar="N", help="after a lost Pod or process")
    add("--deadline", type=int, metavar="SECONDS", help="longest time of the job")
    add("--pending-timeout", type=int, metavar="SECONDS", help="longest wait for its Pods")
    add("--queue", default="", metavar="NAME", help="Kueue LocalQueue that admits it")
    add("--to", default="", metavar="CLUSTER", help="a running RayCluster takes it")
    add("--detach", action="store_true", help="do not wait")


def _logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", "-f", action="store_true", help="to the end of the job")
    parser.add_argument("--tail", type=int, metavar="N", help="the last lines alone")


def _promote(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", metavar="REASON", help=FORCE_HELP)


def _none(parser: argparse.ArgumentParser) -> None:
    """A command without options of its own."""


_OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "submit": _submit,
    "logs": _logs,
    "promote": _promote,
}
