"""Show what an endpoint serves, its replicas and its running rollouts; remove a route."""

import argparse
import json
from datetime import UTC, datetime

from nmt.cli.console import print_line
from nmt.config import load_config
from nmt.errors import InputError
from nmt.storage import Storage
from nmt.traffic import read_reports, read_traffic, remove_route
from nmt.traffic.display import removal_text, traffic_text, traffic_value
from ray_jobs.runtime.storage_location import absolute_storage


def run(options: argparse.Namespace) -> None:
    """Run the command line.

    Raises:
        InputError: nothing was promoted, or the route to remove does not exist or is the only one.
    """
    config = load_config(options.config, options.overrides)
    name = config.serving.name
    storage = Storage(absolute_storage(config), read_only=options.remove is None)
    if options.remove is not None:
        changed = remove_route(storage, name, options.remove)
        print_line(removal_text(name, options.remove, changed))
        return
    traffic = read_traffic(storage, name)
    if traffic is None:
        raise InputError(f"endpoint '{name}' has no promoted engine: run `nmt promote run=…` first")
    shown = (name, traffic, read_reports(storage, name), datetime.now(UTC))
    if options.json:
        print_line(json.dumps(traffic_value(*shown), indent=2, ensure_ascii=False))
    else:
        print_line(traffic_text(*shown))


if __name__ == "__main__":
    from ray_jobs.cli.main import run_module

    run_module("traffic")
