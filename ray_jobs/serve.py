"""Run the translation endpoint on Ray Serve.

`ray_jobs.serve:build` is the import path of the application in `serve deploy` and in RayServices.
"""

from ray_jobs.serving.deployments import build
from ray_jobs.serving.lifecycle import run

__all__ = ["build", "run"]

if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("serve")
