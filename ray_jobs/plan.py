"""Forecast memory, time and cost of a training; starts no Ray and loads no weights."""

import json
import sys

from nmt.config import Config
from nmt.planning.plan import make_plan
from nmt.planning.table import render
from ray_jobs.runtime.logs import quiet_libraries


def forecast(config: Config, *, as_json: bool) -> int:
    """Write the plan; 0 when the configuration fits its GPU, else 1."""
    quiet_libraries()
    plan = make_plan(config)
    text = json.dumps(plan.as_json(), indent=2) + "\n" if as_json else render(plan)
    sys.stdout.write(text)
    return 0 if plan.fits else 1


if __name__ == "__main__":
    from ray_jobs.cli.main import run_module

    run_module("plan")
