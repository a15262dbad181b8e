# SPDX-License-Identifier: Apache-2.0
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Pinned, so that a fresh machine gets a build of torch that was tested.
TORCH ?= torch==2.13.0
# Two workers have the same cores: threads that wait for others in a loop would take the time of those.
PYTEST = OMP_WAIT_POLICY=PASSIVE FASTMETRICS_NATIVE=$${FASTMETRICS_NATIVE:-require} $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: demo test test-fast bench bench-quick docs dist check-dist kernel-resources lint format stubs doctor clean

$(VENV)/.ready: pyproject.toml setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q "setuptools>=77" wheel
	$(BIN)/python -m pip install -q "$(TORCH)"
	$(BIN)/python -m pip install -q --no-build-isolation -e ".[dev]"
	touch $@

demo: $(VENV)/.ready
	$(BIN)/python examples/demo.py

test: $(VENV)/.ready
	$(PYTEST)

# without the tests that are marked slow
test-fast: $(VENV)/.ready
	$(PYTEST) -m "not slow"

bench: $(VENV)/.ready
	$(BIN)/python -m bench

bench-quick: $(VENV)/.ready
	$(BIN)/python -m bench --quick

# the site, in docs/_build/html, from all pages again; every warning is an error, broken references included
docs: $(VENV)/.ready
	$(BIN)/python -m pip install -q --no-build-isolation -e ".[docs]"
	FASTMETRICS_NATIVE=$${FASTMETRICS_NATIVE:-off} $(BIN)/python -m sphinx -E -W --keep-going -q -b html docs docs/_build/html

# an sdist, and a wheel with the CPU libraries for every instruction set, in dist. What torch brings along, its OpenMP
# included, must not be copied into the wheel.
dist: $(VENV)/.ready
	$(BIN)/python -m pip install -q --no-build-isolation -e ".[release]"
	rm -rf dist
	FASTMETRICS_BUILD=1 $(BIN)/python -m build --no-isolation --outdir dist
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/auditwheel repair --wheel-dir dist --exclude 'libtorch*.so' --exclude 'libc10*.so' \
	    --exclude 'libcudart.so*' --exclude libgomp.so.1 dist/*-linux_*.whl
	rm dist/*-linux_*.whl

# the wheel in a fresh environment without a compiler, and tests of the unpacked sdist; takes minutes
check-dist: dist
	$(BIN)/python tools/check_distributions.py --torch "$(TORCH)" dist

# docs/kernel_resources.md and docs/kernel_costs.md, where nvcc and nvdisasm are
kernel-resources: $(VENV)/.ready
	$(BIN)/python -m tests.support.kernel_resources
	$(BIN)/python -m tests.support.kernel_costs

# the .pyi files, of the modules whose names are made at run time
stubs: $(VENV)/.ready
	$(BIN)/python -m tools.stubs

doctor: $(VENV)/.ready
	$(BIN)/python -m fastmetrics doctor

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files '*.h' '*.cpp' '*.cu' '*.cuh' | xargs $(BIN)/clang-format --dry-run -Werror

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files '*.h' '*.cpp' '*.cu' '*.cuh' | xargs $(BIN)/clang-format -i

clean:
	rm -rf $(VENV) build dist docs/_build docs/api *.egg-info demo_output
