"""Run the operator beside an API server with many campaigns at rest.

`python benchmarks/operator_scale.py [--campaigns 1000] [--seconds 180]` needs `KUBECONFIG` of a
cluster that may be filled, with the kind TranslationCampaign. The operator is a process of this
machine with the account of a Pod, and without numpy, as in the tools image. It prints its memory,
the objects that were written at rest, and how long one look at a campaign takes.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from k8s.api.client import connect
from k8s.api.cluster import CAMPAIGN, Cluster, version_of
from nmt.errors import ClusterError
from tests.support.k8s.release_fields import release_fields

NAMESPACE = f"operator-scale-{os.getpid()}"
RELEASE = "demo"
PORT = 18081
# A Pod has the account in a fixed folder, which this process must not write to.
START = """
import sys
sys.modules["numpy"] = None
from pathlib import Path
from k8s.api import connection
connection._ACCOUNT = Path(sys.argv.pop(1))
from k8s.operator.main import main
sys.exit(main(sys.argv[1:]))
"""


def main() -> None:
    """Fill a namespace, run the operator in it, and print what it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=180.0, help="time at rest")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, namespace():
        folder = Path(name)
        cluster = connect(None, NAMESPACE)
        fill(cluster, folder, options.campaigns)
        with operator(account(folder)) as process:
            wait_for_rest(cluster, options.campaigns)
            print(f"memory after the first looks: {memory_mib(process.pid):.0f} MiB")
            before, counts = versions(cluster), scrape()
            time.sleep(options.seconds)
            after, later = versions(cluster), scrape()
            written = sum(before.get(name) != version for name, version in after.items())
            print(f"memory at rest: {memory_mib(process.pid):.0f} MiB")
            print(f"campaigns written in {options.seconds:.0f} s at rest: {written}")
            print(f"looks at rest: {later['count'] - counts['count']:.0f}")
        for share in (0.5, 0.99):
            print(f"{share:.0%} of {later['count']:.0f} looks: at most {quantile(later, share)} s")
        mean, cpu = (later[key] / later["count"] * 1000 for key in ("sum", "cpu"))
        print(f"mean: {mean:.1f} ms, of which {cpu:.1f} ms of the operator's processor time")


@contextmanager
def namespace() -> Iterator[None]:
    """Provide an empty namespace in which an account may do everything."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("-n", NAMESPACE, "create", "serviceaccount", "operator")
        kubectl("-n", NAMESPACE, "create", "rolebinding", "operator", "--clusterrole=cluster-admin",
                f"--serviceaccount={NAMESPACE}:operator")  # fmt: skip
        yield
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def kubectl(*words: str) -> str:
    """Run kubectl and return what it prints."""
    return subprocess.run(["kubectl", *words], check=True, capture_output=True, text=True).stdout  # noqa: S607


def fill(cluster: Cluster, folder: Path, number: int) -> None:
    """Add a release and campaigns that rest, with a corpus of their own each."""
    storage = folder / "storage"
    (storage / "corpora").mkdir(parents=True)
    fields = release_fields(storage=str(storage), maxActive=4, name=RELEASE)
    labels = {"app.kubernetes.io/component": "release"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"release.json": json.dumps(fields)},
         "metadata": {"name": f"{RELEASE}-release", "labels": labels}}, "benchmark",
    )  # fmt: skip
    for index in range(number):
        path = f"corpora/c{index}.tsv"
        (storage / path).write_text(f"source {index}\ttarget\n")
        config = {"data": {"path": path}, "tune": {"trials": 8}, "seed": index}
        spec = {"release": RELEASE, "suspend": True, "config": config}
        body = {"apiVersion": CAMPAIGN.api_version, "kind": CAMPAIGN.name, "spec": spec,
                "metadata": {"name": f"c{index}"}}  # fmt: skip
        cluster.apply(body, "benchmark")


def account(folder: Path) -> Path:
    """Write what the kubelet mounts for an account."""
    mounted = folder / "account"
    mounted.mkdir()
    view = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    (mounted / "namespace").write_text(NAMESPACE)
    (mounted / "token").write_text(kubectl("-n", NAMESPACE, "create", "token", "operator"))
    authority = view["clusters"][0]["cluster"]["certificate-authority-data"]
    decoded = subprocess.run(["base64", "-d"], input=authority.encode(), capture_output=True,  # noqa: S607
                             check=True)  # fmt: skip
    (mounted / "ca.crt").write_bytes(decoded.stdout)
    os.environ["SERVER"] = view["clusters"][0]["cluster"]["server"]
    return mounted


@contextmanager
def operator(mounted: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the operator as in a Pod."""
    found = re.match(r"https://(.+):(\d+)$", os.environ["SERVER"])
    if not found:
        raise ClusterError(f"the kubeconfig's server is {os.environ['SERVER']}")
    env = os.environ | {
        "KUBERNETES_SERVICE_HOST": found[1], "KUBERNETES_SERVICE_PORT": found[2],
        "KUBECONFIG": "/nonexistent", "HOME": "/nonexistent", "MALLOC_ARENA_MAX": "2",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(mounted), "--release", RELEASE, "--port", str(PORT)],
        env=env, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        print(f"exit code after SIGTERM: {process.wait(30)}")


def wait_for_rest(cluster: Cluster, number: int) -> None:
    """Wait until each campaign has a status and nothing is due."""
    begun = time.monotonic()
    while time.monotonic() - begun < 1800:
        time.sleep(5)
        try:
            if scrape()["count"] >= number and all(versions(cluster).values()) and due() == 0:
                print(f"at rest after {time.monotonic() - begun:.0f} s")
                return
        except OSError:
            continue
    raise SystemExit("the campaigns do not come to rest")


def versions(cluster: Cluster) -> dict[str, str]:
    """Return the version of each campaign; empty for one without a status."""
    found = cluster.select(CAMPAIGN)
    return {
        each["metadata"]["name"]: version_of(each) if "status" in each else "" for each in found
    }


def metrics() -> str:
    """Read the metrics of the operator."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as answer:
        return answer.read().decode()


def due() -> float:
    """Return how many campaigns are due."""
    return float(re.findall(r"^nmt_operator_queue_depth (\S+)$", metrics(), re.M)[0])


def scrape() -> dict[str, float]:
    """Return the processor time, and of looks the count, the sum and the buckets by their bound."""
    name = "nmt_operator_reconcile_seconds"
    text = metrics()
    found = dict(re.findall(rf"^{name}_(count|sum) (\S+)$", text, re.M))
    found |= dict(re.findall(r"^nmt_operator_process_(cpu)_seconds_total (\S+)$", text, re.M))
    found |= dict(re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', text, re.M))
    return {key: float(value) for key, value in found.items()}


def quantile(histogram: dict[str, float], share: float) -> str:
    """Return the smallest bound below which a share of the looks is."""
    bounds = sorted((float(key), key) for key in histogram if key not in ("count", "sum", "cpu"))
    return next(key for _, key in bounds if histogram[key] >= share * histogram["count"])


def memory_mib(process: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.findall(r"^VmRSS:\s+(\d+)", status, re.M)[0]) / 1024


if __name__ == "__main__":
    main()
