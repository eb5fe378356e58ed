# `make quickstart` and `make test` install everything they need.
# Without a GPU, the CPU build of PyTorch saves 2 GB of CUDA libraries:
#   make venv PIP_OPTIONS=--torch-backend=cpu

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_OPTIONS ?=
READY := $(VENV)/.ready
PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile
UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
# Programs that check the chart. Another version may find other things, or write another README.
HELM_DOCS := github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2
KUBECONFORM := github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
KUBE_SCORE := github.com/zegl/kube-score/cmd/kube-score@v1.20.0
CHECKOV := checkov==3.3.30
# Apart from .venv: with its packages for formats, each import of jsonschema, and so of Ray, takes 2 s.
CYCLONEDX := cyclonedx-bom==7.5.0
CYCLONEDX_LIB := cyclonedx-python-lib[json-validation]==11.12.0

.DEFAULT_GOAL := help
.PHONY: help venv quickstart test lint unit torch chart chart-tools ray gpu k8s-api k8s-cluster reference schema bench clean

help:  ## Show this list.
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: $(READY)  ## Create .venv with every package.

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python $(PIP_OPTIONS) \
		--constraint constraints.txt --editable '.[all]'
	@touch $@

quickstart: $(READY)  ## Run the whole pipeline on built-in data: no hub, no GPU, no cluster.
	$(BIN)/nmt quickstart

test: lint unit torch chart ray  ## Run all checks that need neither a GPU nor a cluster.

lint: $(READY)  ## Check style, types and import rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

unit: $(READY)  ## Run the tests that train nothing and start nothing.
	$(BIN)/pytest tests/unit $(PARALLEL) --durations=5

torch: $(READY)  ## Run the tests that build and train small models.
	$(BIN)/pytest tests/torch $(PARALLEL) --durations=5

chart: $(READY)  ## Test the Helm chart without a cluster; KUBERAY_CRDS may name a folder with KubeRay's CRDs.
	$(BIN)/pytest tests/chart $(PARALLEL) --durations=5

chart-tools: $(READY) $(BIN)/helm-docs  ## Install what tests of the chart and of the images skip otherwise; it needs Go.
	GOBIN=$(abspath $(BIN)) go install $(KUBECONFORM)
	GOBIN=$(abspath $(BIN)) go install $(KUBE_SCORE)
	UV_TOOL_DIR=$(abspath $(VENV))/tools UV_TOOL_BIN_DIR=$(abspath $(BIN)) $(UV) tool install --quiet \
		--python $(BIN)/python $(CHECKOV)
	UV_TOOL_DIR=$(abspath $(VENV))/tools UV_TOOL_BIN_DIR=$(abspath $(BIN)) $(UV) tool install --quiet \
		--python $(BIN)/python --with '$(CYCLONEDX_LIB)' $(CYCLONEDX)

ray: $(READY)  ## Run the tests that start several processes or a local Ray, and of the whole pipeline.
	$(BIN)/pytest tests/distributed tests/ray tests/e2e --durations=10

gpu: $(READY)  ## Run the tests that need an NVIDIA GPU, in ten minutes at most; without a GPU they are skipped.
	timeout 600 $(BIN)/pytest tests/gpu -rs -s --durations=5

k8s-api: $(READY)  ## Test against the API server that KUBECONFIG names; it needs no node.
	$(BIN)/pytest tests/k8s_api --durations=5

k8s-cluster: $(READY)  ## Test on a cluster with a node: set KUBECONFIG, and REGISTRY and TAG of the images.
	$(BIN)/pytest tests/k8s_cluster -s --durations=0

reference: $(READY)  ## Write docs/reference.md from nmt/config.
	$(BIN)/python docs/generate_reference.py

schema: $(READY)  ## Write the chart's schema, default values and README from helm/values/; it needs Go.
	$(BIN)/python helm/generate.py
	@$(MAKE) --no-print-directory $(BIN)/helm-docs
	$(BIN)/helm-docs --chart-search-root helm/nmt --sort-values-order file --log-level warning

$(BIN)/helm-docs:
	@command -v go >/dev/null || { echo "helm-docs, which writes helm/nmt/README.md, needs Go"; exit 2; }
	GOBIN=$(abspath $(BIN)) go install $(HELM_DOCS)

bench: $(READY)  ## Run the benchmarks of docs/benchmarks.md.
	$(BIN)/python benchmarks/train_throughput.py
	$(BIN)/python benchmarks/loss_memory.py
	$(BIN)/python benchmarks/training_start.py
	$(BIN)/python benchmarks/trial_start.py
	$(BIN)/python benchmarks/padding.py
	$(BIN)/python benchmarks/workers.py
	$(BIN)/python benchmarks/model_600m.py
	$(BIN)/python benchmarks/startup.py

clean:  ## Remove .venv and build folders; keep runs/.
	rm -rf $(VENV) build dist *.egg-info
