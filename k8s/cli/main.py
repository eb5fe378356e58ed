"""The console command `nmt-k8s`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8s.cli.options import parse
from nmt.cli.console import guarded

if TYPE_CHECKING:
    from k8s.api.cluster import Cluster
    from k8s.cli.actions import Connect
    from k8s.cli.output import Clock


def main(
    arguments: Sequence[str] | None = None,
    connect: "Connect | None" = None,
    clock: "Clock | None" = None,
) -> int:
    """Run a command and return the exit code of the process."""
    options = parse(arguments)

    def run() -> int:
        # Only now, because they import the settings and pyarrow, which takes a second: `--help`
        # ends in `parse`.
        from k8s.cli.actions import ACTIONS, Session
        from k8s.cli.output import Clock

        return ACTIONS[options.command](Session(options, connect or _connect, clock or Clock()))

    return guarded(run, program="nmt-k8s", extra="k8s")


def _connect(context: str | None, namespace: str | None) -> "Cluster":
    # Importing the client takes half a second, which no command on a storage root needs.
    from k8s.api.client import connect

    return connect(context, namespace)


if __name__ == "__main__":
    sys.exit(main())
