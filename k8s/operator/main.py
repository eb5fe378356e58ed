"""The operator of a release: `python -m k8s.operator --release NAME`."""

import argparse
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import TYPE_CHECKING

from nmt.cli.console import guarded

if TYPE_CHECKING:
    from k8s.api.cluster import Cluster
    from k8s.operator.reconcile import Reconciler

PROGRAM = "nmt-operator"

Connect = Callable[[str | None, str | None], "Cluster"]


def main(
    arguments: Sequence[str] | None = None,
    connect: Connect | None = None,
) -> int:
    """Run until SIGTERM, or until another replica has taken the Lease.

    Args:
        arguments: of the command line.
        connect: connects to the cluster.

    Returns:
        The exit code of the process: 143 after SIGTERM.
    """
    options = parse(arguments)
    return guarded(lambda: _run(options, connect or _connect), program=PROGRAM, extra="k8s")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(PROGRAM, description=__doc__)
    parser.add_argument(
        "--release", required=True, help="name of the release, as its objects have it"
    )
    parser.add_argument("-n", "--namespace", help="namespace of the release")
    parser.add_argument("--context", help="context of the kubeconfig, outside of a cluster")
    parser.add_argument(
        "--port", type=int, default=8080, help="port of /healthz and /metrics; 0 chooses one"
    )
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, connect: Connect) -> None:
    from k8s.operator.loop.controller import Controller
    from k8s.operator.loop.health import health_port
    from k8s.operator.loop.lease import Clocks
    from k8s.operator.loop.log import log_as_json

    log_as_json()
    cluster = connect(options.context, options.namespace)
    work = _build(cluster, options.release)
    controller = Controller(
        cluster,
        work,
        f"{options.release}-operator",
        _identity(),
        Clocks(time.monotonic, time.time),
        SystemRandom(),
        held=work.held,
    )
    with health_port(options.port, controller.problem, controller.metrics.exposition):
        controller.run()


def _identity() -> str:
    # A Pod's name alone would also be that of the container before, which may still have threads
    # of work under way on a node that is cut off.
    return f"{os.environ.get('HOSTNAME', 'operator')}_{uuid.uuid4().hex[:8]}"


def _connect(context: str | None, namespace: str | None) -> "Cluster":
    from k8s.api.client import connect

    return connect(context, namespace)


def _build(cluster: "Cluster", release: str) -> "Reconciler":
    from k8s.operator.reconcile import reconciler

    return reconciler(cluster, release)


if __name__ == "__main__":
    sys.exit(main())
