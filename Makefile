# The commands people type; `make` alone lists them.
#
# Everything is installed into .venv beside this file, and nothing else on the machine is touched.

PYTHON ?= python3
UV ?= uv
PIP := .venv/bin/python -m pip --disable-pip-version-check -qq

# A user's own settings must not lead the installation to another place.
export PIP_USER := 0
unexport PYTHONHOME PYTHONPATH

# What the environment was made from: when that changes, it is brought up to date in place.
STAMP := .venv/made-from
# And where: its commands know their own path, so one that was moved or copied is made anew.
PLACE := .venv/made-in

TARGETS := help env run test lint lock
# These come with what they run.
ifneq ($(shell grep -rls 'mark\.torture' tests),)
TARGETS += torture
endif
ifneq ($(wildcard tests/simulation/__main__.py),)
TARGETS += simulate
endif
ifneq ($(wildcard tests/soak/__main__.py),)
TARGETS += soak
endif
ifneq ($(wildcard benchmarks/__main__.py),)
TARGETS += bench
endif

.PHONY: $(TARGETS)
.DEFAULT_GOAL := help

help: ## list these commands
	@for target in $(TARGETS); do sed -n "s/^\($$target\):.*## \(.*\)/  make \1	\2/p" Makefile; done

env: ## make .venv and install into it exactly what requirements.lock names
	@set -eu; \
	here="$$(pwd -P)"; \
	wanted="$$(cat requirements.lock pyproject.toml | cksum)"; \
	stands() { [ "$$(cat $(PLACE) 2>/dev/null)" = "$$here" ] && .venv/bin/python -c '' 2>/dev/null; }; \
	if stands && [ "$$(cat $(STAMP) 2>/dev/null)" = "$$wanted" ]; then exit 0; fi; \
	fail() { printf 'make env: %s: %s\n' "$$1" "$$2" >&2; exit 1; }; \
	command -v "$(PYTHON)" >/dev/null || fail PythonMissing \
		"there is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make env PYTHON=python3.12"; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail PythonTooOld \
		"$(PYTHON) is $$("$(PYTHON)" --version 2>&1); 3.11 is the oldest that will do. Name one: make env PYTHON=python3.12"; \
	"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || fail VenvMissing \
		"$(PYTHON) cannot make an environment. On Debian or Ubuntu, as root: apt-get install python3-venv"; \
	if ! stands; then \
		echo 'Making the environment in .venv'; \
		"$(PYTHON)" -m venv --clear .venv || fail VenvFailed "$(PYTHON) -m venv did not succeed, see above."; \
		echo "$$here" > $(PLACE); \
	fi; \
	rm -f $(STAMP); \
	echo 'Installing what requirements.lock names'; \
	$(PIP) install --require-hashes --requirement requirements.lock || fail InstallFailed \
		"pip could not install requirements.lock, see above. Without a network, let PIP_FIND_LINKS name a folder of wheels."; \
	$(PIP) install --no-deps --no-build-isolation --editable . || fail InstallFailed \
		"pip could not install the project itself, see above."; \
	echo "$$wanted" > $(STAMP)

run: env ## start it: the sandbox, or the real Telegram when TELEGRAM_BOT_TOKEN is set
	@exec .venv/bin/holdfast run

# A file's tests stay together, for what they share is made once; the order is tests/conftest.py's: the longest first.
test: env ## run every test, on all cores
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

lint: env ## check style, format and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy $(addprefix -p ,holdfast tests $(wildcard benchmarks))

# Twice: with what develops and tests it, and for deploy/Dockerfile what it runs on alone, in the same versions.
PINNED := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock'

lock: ## pin in requirements.lock what pyproject.toml asks for; needs uv
	@command -v "$(UV)" >/dev/null || { echo 'make lock: UvMissing: there is no uv here; name one: make lock UV=path/to/uv' >&2; exit 1; }
	@"$(UV)" pip compile $(PINNED) --extra dev --output-file requirements.lock pyproject.toml
	@"$(UV)" pip compile $(PINNED) --constraint requirements.lock --output-file deploy/requirements.lock pyproject.toml

ifneq ($(filter torture,$(TARGETS)),)
torture: env ## run the tests that take minutes: kills, full disks, seeded storms
	.venv/bin/python -m pytest -m torture
endif

ifneq ($(filter simulate,$(TARGETS)),)
simulate: env ## run seed after seed in virtual time, everything breaking, until stopped; SEEDS="17 18" tells these
	.venv/bin/python -m tests.simulation $(SEEDS)
endif

ifneq ($(filter soak,$(TARGETS)),)
soak: env ## let 50 turns a second go through it for half an hour, or HOLDFAST_SOAK seconds, and see whether it stays flat
	.venv/bin/python -m tests.soak
endif

ifneq ($(filter bench,$(TARGETS)),)
bench: env ## measure, as ratios to a floor measured in the same run
	@wanted="$$(cksum < benchmarks/requirements.lock)"; \
	if [ "$$(cat .venv-bench/made-from 2>/dev/null)" != "$$wanted" ]; then \
		echo 'Making the environment of the peers in .venv-bench'; \
		{ "$(PYTHON)" -m venv --clear .venv-bench && \
			.venv-bench/bin/python -m pip --disable-pip-version-check -qq install \
				--require-hashes --requirement benchmarks/requirements.lock && \
			echo "$$wanted" > .venv-bench/made-from; } || \
		echo 'make bench: PeersMissing: not all peers could be installed, see above; the rest is measured.' >&2; \
	fi
	.venv/bin/python -m benchmarks
endif
