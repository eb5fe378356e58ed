"""Duration of a job and of a promotion on a cluster, as the user of the commands sees it.

    python benchmarks/on_kubernetes.py --namespace nmt --run small --other second

Needs a release whose endpoint runs, and two exported runs on its storage. Trains a third run from
the first one's settings, which it is given as further words (`data.…=… training.max_steps=20`).
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

PATIENCE_SECONDS = 120.0


def main() -> int:
    """Measure and print a table of seconds."""
    parser = argparse.ArgumentParser(description="Measure the seconds of a job and of a promotion.")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--run", required=True, help="prepared and exported run")
    parser.add_argument("--other", required=True, help="another exported run")
    parser.add_argument("--url", required=True, help="URL of the endpoint")
    parser.add_argument("words", nargs="*", metavar="key=value")
    options = parser.parse_args()
    print("| from the command to | seconds |\n|---|---|")
    for what, seconds in [*job(options), *promotion(options)]:
        print(f"| {what} | {seconds:.1f} |", flush=True)
    return 0


def job(options: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Measure a training from the command to its exit code."""
    stages = {" running": "Ray runs the job", "train step": "first line of training"}
    words = ["submit", "train", f"run={options.run}", "--restart", *options.words]
    started = time.monotonic()
    with subprocess.Popen(
        ["nmt-k8s", *words, "-n", options.namespace],  # noqa: S607 - as its user calls it
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            for text in [text for text in stages if text in line]:
                yield f"train: {stages.pop(text)}", time.monotonic() - started
    yield f"train: exit code {process.returncode}", time.monotonic() - started


def promotion(options: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Measure the time from the command until the endpoint uses the other engine."""
    before = serving_engine(options.url)
    for run in (options.other, options.run):
        started = time.monotonic()
        words = ["promote", f"run={run}", "-n", options.namespace]
        subprocess.run(["nmt-k8s", *words], check=True, capture_output=True)  # noqa: S607
        yield f"promote: exit code 0 ({run})", time.monotonic() - started
        while serving_engine(options.url) == before:
            if time.monotonic() - started > PATIENCE_SECONDS:
                break
            time.sleep(0.1)
        yield f"promote: the other engine answers ({run})", time.monotonic() - started
        before = serving_engine(options.url)


def serving_engine(url: str) -> str:
    """Ask the endpoint which engine translates."""
    request = urllib.request.Request(  # noqa: S310 - the user's own endpoint
        f"{url}/v1/translate",
        data=json.dumps({"text": "The doctor is at home."}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)["engine"]


if __name__ == "__main__":
    sys.exit(main())
