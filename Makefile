# The everyday commands. Each makes the environment first, in .venv, if it is missing or its lock has changed.
#   make quick      the real data in minutes         make test        the tests, at most 15 minutes on two cores
#   make study      the study as configured          make test-slow   kills, cluster, browser, simulations
#   make report     its report; trains what lacks    make lint        ruff, types and snakemake --lint
#   make restore    published runs into the store    make progress    done, running and left, while a study runs
#   make publish    finished runs into published/    make environment .venv alone
#   make lock       pins anew (needs uv)             make new-report NAME=mine   a report of your own, to be filled in
#   make help       this
# DEVICE=cpu or DEVICE=gpu chooses TensorFlow's build; without it, the .venv that is there, else the machine, does.
# FROM=folder, for restore: the runs of somebody else's published/. PYTHON names the Python to use. GPUS=2: how many of
# the GPUs may be busy at a time; without it all that there are.
# CONFIG=config/full.yaml: an overlay, for study, report, restore, progress and publish.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Only the command line changes these: other programs have variables of such names in the environment.
CONFIG :=
FROM :=
GPUS :=
CORES := all
VENV := .venv
# An environment that is there is kept: a cluster's login node has no GPU, and its jobs use the one made for GPUs.
MADE := $(patsubst $(VENV)/made-from-%.lock,%,$(firstword $(wildcard $(VENV)/made-from-*.lock)))
DEVICE := $(or $(MADE),$(if $(shell command -v nvidia-smi),gpu,cpu))
$(if $(filter cpu gpu,$(DEVICE)),,$(error DEVICE is $(DEVICE); allowed are cpu and gpu))
$(if $(GPUS),$(if $(shell [[ '$(GPUS)' =~ ^[1-9][0-9]*$$ ]] && echo number),,$(error GPUS is $(GPUS); it must be how many may be busy at a time, say GPUS=2. Which ones: CUDA_VISIBLE_DEVICES; none: device: cpu in the config)))
LOCK := envs/$(DEVICE).lock
STAMP := $(VENV)/made-from-$(DEVICE).lock
SNAKEMAKE := $(VENV)/bin/snakemake
# Behind the target: --resources and --configfile take all words that follow them.
OPTIONS := --cores $(CORES) $(if $(GPUS),--resources gpu=$(GPUS))
$(foreach file,$(CONFIG),$(if $(wildcard $(file)),,$(error CONFIG names $(file), which is not there; overlays are in config/)))
CONFIGURED := $(OPTIONS) $(if $(CONFIG),--configfile $(CONFIG))
# No paragraph a job: what is planned, what fails (each rule says it in a sentence), and the end.
BRIEF := --quiet rules progress 2> >(sed -u '/^Select jobs to execute/d; /^Execute [0-9]* jobs/d' >&2)
PYTEST := $(VENV)/bin/python -m pytest

# The first Python that is new enough, of the usual names.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON := $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c '$(SUITABLE)' 2>/dev/null && echo $(name))))

.PHONY: help environment quick study report restore progress new-report publish test test-slow test-gpu mutants lint lock

help:
	@sed -n '2,12s/^# *//p' Makefile

environment: $(STAMP)

# What pip may find in the environment that would put the packages elsewhere, or only some of them.
REROUTING := CONSTRAINT DRY_RUN NO_DEPS ONLY_BINARY NO_BINARY PREFIX PYTHON ROOT TARGET USER

$(STAMP): $(LOCK)
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c '$(SUITABLE)'; then \
	  echo "refashion needs Python 3.11, 3.12 or 3.13; found $$($(or $(PYTHON),python3) --version 2>&1 | head -n 1). Name one with: make PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@echo "Building the environment: about 2 GB into $(VENV), some minutes, once."
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	env $(foreach name,$(REROUTING),-u PIP_$(name)) $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@if ! $(SNAKEMAKE) --version >/dev/null; then echo "pip has installed nothing into $(VENV); does its configuration name a target? ($(VENV)/bin/python -m pip config list)" >&2; exit 1; fi
	touch $@

quick: $(STAMP)
	$(SNAKEMAKE) $(OPTIONS) --configfile config/quick.yaml
	@echo "The report: $(CURDIR)/results/report.html"

study: $(STAMP)
	$(SNAKEMAKE) $(CONFIGURED)
	@echo "The report: $(CURDIR)/results/report.html"

report: $(STAMP)
	$(SNAKEMAKE) report $(CONFIGURED) $(BRIEF)
	@echo "The report: $(CURDIR)/results/report.html"

restore: export REFASHION_FROM := $(FROM)
restore: $(STAMP)
	$(SNAKEMAKE) restore $(CONFIGURED) $(BRIEF)

# The two files of a report of your own, config/examples/NAME/, to be filled in.
new-report: $(STAMP)
	@$(VENV)/bin/python workflow/scripts/new_report.py '$(NAME)'

progress: $(STAMP)
	@$(VENV)/bin/python workflow/scripts/progress.py $(CONFIG)

# For those who keep published/: what has finished, and the report of it.
publish: $(STAMP)
	$(SNAKEMAKE) publish $(CONFIGURED)
	$(SNAKEMAKE) report_partial $(CONFIGURED)
	$(SNAKEMAKE) publish $(CONFIGURED)

test: $(STAMP)
	$(PYTEST)

test-slow: $(STAMP)
	$(PYTEST) -m slow

# Where there is a GPU, what no other machine can show: the tests that need one, published runs again within verify's
# tolerances, the quick study, and the speed beside plain Keras' on the same GPU (benchmarks/).
test-gpu: $(STAMP)
	@PYTHONPATH=workflow/scripts $(VENV)/bin/python -c 'from refashion.training import devices; raise SystemExit(not devices.usable_gpus())' \
	  || { echo "make test-gpu needs a GPU, and TensorFlow's build for it: make environment DEVICE=gpu" >&2; exit 1; }
	$(PYTEST) -m gpu tests/unit/training/test_gpu.py
	$(SNAKEMAKE) verify --cores 1 --resources gpu=1
	$(SNAKEMAKE) --cores 4 --resources gpu=1 --configfile config/quick.yaml
	$(SNAKEMAKE) benchmark --cores $(CORES) --resources gpu=1

# Small faults put into one room (ROOM=judging for another), one at a time: how many do its tests notice? Takes hours.
ROOM ?= inference
MUTANTS := results/mutants
mutants: $(STAMP)
	@$(VENV)/bin/python -c 'import mutmut' 2>/dev/null || { echo "make mutants needs mutmut, which the lock does not hold: $(VENV)/bin/python -m pip install mutmut" >&2; exit 1; }
	rm -rf $(MUTANTS)
	mkdir -p $(MUTANTS)/tests/unit
	cp -r workflow/scripts/refashion config report $(MUTANTS)
	cp -r tests/helpers $(MUTANTS)/tests
	cp -r tests/unit/$(ROOM) $(MUTANTS)/tests/unit
	sed 's/ROOM/$(ROOM)/' tests/mutants.cfg > $(MUTANTS)/setup.cfg
	cd $(MUTANTS) && ../../$(VENV)/bin/python -m mutmut run && ../../$(VENV)/bin/python -m mutmut results

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	PYTHONPATH=workflow/scripts $(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/mypy
	$(VENV)/bin/snakemake --lint

# After a change of pyproject.toml; needs uv.
lock:
	for device in cpu gpu; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --no-annotate --extra $$device --group test pyproject.toml -o envs/$$device.lock; done
	pins=$$(sed -nE "/ >= '3\.12'/d; s/ \\\\$$//; s/ ; python_full_version < '3\.1[0-9]' and \(.* or .* or .*\)$$//; s/^[a-z].*==.*/      - &/p" envs/cpu.lock); \
	  sed -i.old '/^  - pip:/q' envs/conda.yaml; rm envs/conda.yaml.old; echo "$$pins" >> envs/conda.yaml
