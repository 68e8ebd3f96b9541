# The commands people type. `make` alone lists them.
#
# Everything is installed into .venv beside this file; nothing else on the machine is touched.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
PIP := .venv/bin/python -m pip --disable-pip-version-check -qq

# A user's own pip or Python settings must not lead the environment elsewhere.
export PIP_USER := 0
unexport PYTHONHOME PYTHONPATH

# What the environment was made from, and where; it is made again when any of this changes.
STAMP := .venv/made-from
WANTED := { pwd -P; cat requirements.lock pyproject.toml; } | cksum

.PHONY: help env run test lint

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1 | \2/p' Makefile | column -t -s '|'

env: ## make .venv and install into it what requirements.lock names
	@wanted="$$($(WANTED))"
	if .venv/bin/python -c '' 2>/dev/null && [ "$$(cat $(STAMP) 2>/dev/null)" = "$$wanted" ]; then exit 0; fi
	fail() { printf 'make env: %s: %s\n' "$$1" "$$2" >&2; exit 1; }
	command -v "$(PYTHON)" >/dev/null || fail PythonMissing \
		"there is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make env PYTHON=python3.12"
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail PythonTooOld \
		"$$("$(PYTHON)" --version 2>&1) is too old, 3.11 is the oldest that will do. Name a newer one: make env PYTHON=python3.12"
	"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || fail VenvMissing \
		"$(PYTHON) cannot make environments. On Debian or Ubuntu, as root: apt-get install python3-venv"
	if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
		echo 'Making the environment in .venv'
		"$(PYTHON)" -m venv --clear .venv || fail VenvFailed "$(PYTHON) -m venv .venv failed, see above."
	fi
	rm -f $(STAMP)
	echo 'Installing what requirements.lock names'
	$(PIP) install --require-hashes --requirement requirements.lock || fail InstallFailed \
		"pip could not install requirements.lock, see above. Without a network, set PIP_FIND_LINKS to a folder of wheels."
	$(PIP) install --no-deps --no-build-isolation --editable . || fail InstallFailed \
		"pip could not install the project itself, see above."
	echo "$$wanted" > $(STAMP)

run: env ## start Holdfast: the sandbox, or the real Telegram when TELEGRAM_BOT_TOKEN is set
	@exec .venv/bin/holdfast run

test: env ## run every test
	.venv/bin/python -m pytest

lint: env ## check style, format and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy -p holdfast -p tests

# Each recipe is one script, so that `fail` leaves it.
.ONESHELL:
