"""The packages of `nmt` that `k8s` may import are an allow-list."""

import tomllib
from pkgutil import iter_modules

import nmt
from tests.support.project import PROJECT

ALLOWED = {
    "access",
    "cli",
    "config",
    "errors",
    "languages",
    "network",
    "provenance",
    "rollout",
    "runs",
    "storage",
    "traffic",
}


def test_k8s_is_forbidden_every_package_that_is_not_on_the_allow_list():
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = [
        contract
        for contract in contracts
        if contract.get("source_modules") == ["k8s"] and "torch" in contract["forbidden_modules"]
    ]
    forbidden = {name.removeprefix("nmt.") for name in contract["forbidden_modules"]}
    packages = {module.name for module in iter_modules(nmt.__path__)}
    assert forbidden & packages == packages - ALLOWED
    assert packages >= ALLOWED
