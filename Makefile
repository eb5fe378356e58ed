# Two commands do all the set-up: `make quickstart` and `make test`.
# A machine without a GPU can save 2 GB of CUDA libraries where a package index offers a CPU build:
#   make venv PIP_OPTIONS="--index-url URL_OF_THE_CPU_INDEX --extra-index-url URL_OF_YOUR_USUAL_INDEX"

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_OPTIONS ?=
READY := $(VENV)/.ready
PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile
UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)

.DEFAULT_GOAL := help
.PHONY: help venv quickstart test lint unit torch chart ray k8s-api k8s-cluster schema bench clean

help:  ## Show this list.
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: $(READY)  ## Make .venv with every package.

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python $(PIP_OPTIONS) \
		--constraint constraints.txt --editable '.[all]'
	@touch $@

quickstart: $(READY)  ## The whole path on built-in data: no hub, no GPU, no cluster.
	$(BIN)/nmt quickstart

test: lint unit torch chart ray  ## Everything that is tested.

lint: $(READY)  ## Style, types, import rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

unit: $(READY)  ## Tests that train nothing and start nothing.
	$(BIN)/pytest tests/unit $(PARALLEL) --durations=5

torch: $(READY)  ## Tests that build and train small models.
	$(BIN)/pytest tests/torch $(PARALLEL) --durations=5

chart: $(READY)  ## Tests of the Helm chart, without a cluster; KUBERAY_CRDS names a folder of KubeRay's.
	$(BIN)/pytest tests/chart $(PARALLEL) --durations=5

ray: $(READY)  ## Tests with several processes, on a real local Ray, and of the whole path.
	$(BIN)/pytest tests/distributed tests/ray tests/e2e --durations=10

k8s-api: $(READY)  ## Tests against the API server that KUBECONFIG names; no node is needed.
	$(BIN)/pytest tests/k8s_api --durations=5

k8s-cluster: $(READY)  ## Tests on a cluster with a node: KUBECONFIG, and REGISTRY and TAG of the images.
	$(BIN)/pytest tests/k8s_cluster -s --durations=0

schema: $(READY)  ## The chart's schema and default values, from helm/values/nmt.py.
	$(BIN)/python helm/generate.py

bench: $(READY)  ## Benchmarks against what a user would pick instead.
	$(BIN)/python benchmarks/train_throughput.py
	$(BIN)/python benchmarks/loss_memory.py
	$(BIN)/python benchmarks/padding.py
	$(BIN)/python benchmarks/workers.py
	$(BIN)/python benchmarks/model_600m.py
	$(BIN)/python benchmarks/startup.py

clean:  ## Remove what was built here; runs/ stays.
	rm -rf $(VENV) build dist *.egg-info
