# make lab · run · test · check · sync · outputs · lesson NAME=14_my_topic      (README says how to do the same without make)
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
INSTALLED := $(VENV)/installed
MATRIX := $(basename $(notdir $(wildcard tests/matrix/*.txt)))

.PHONY: lab run test test-matrix test-launch test-browser test-hub $(MATRIX) check outputs sync lesson stamp bench site slides student test-site

run: $(INSTALLED)
	$(BIN)/python tools/run.py $(LESSONS)

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 $(ARGS)

# helpers and lessons on each TensorFlow of tests/matrix, each in its own environment
test-matrix: $(MATRIX)
$(MATRIX):
	$(MAKE) test VENV=build/matrix/$@ CONSTRAINTS=tests/matrix/$@.txt ARGS="tests/test_helpers.py tests/test_data.py notebooks/en"

# the notebooks as Colab would open them, with its versions; what Binder would build
COLAB := build/matrix/tensorflow-2.20
test-launch: $(INSTALLED)
	$(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable ".[launch]"
	$(MAKE) $(COLAB)/installed VENV=$(COLAB) CONSTRAINTS=tests/matrix/tensorflow-2.20.txt
	COLAB_PYTHON=$(abspath $(COLAB))/bin/python $(BIN)/python -m pytest -n 2 tests/launch

# JupyterLab, the site and the slides in Chromium
test-browser: site
	$(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable ".[browser]"
	$(BIN)/python -m pytest tests/browser

# a class of 20 students on one server, on this machine; as root
test-hub: $(INSTALLED)
	$(BIN)/python -m pytest tests/hub

check: $(INSTALLED)  # style, spelling, translations, stored outputs: under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/sync.py --check
	$(BIN)/python -m pytest -q -n 2 tests/test_notebooks.py

lab: $(INSTALLED)
	$(BIN)/jupyter lab notebooks

outputs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable ".[author]"
	$(BIN)/python tools/sync.py
	$(BIN)/python tools/run.py --store $(LESSONS)

# from the stored outputs, nothing is executed: build/site, build/slides, build/student
DOCS := $(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable ".[docs]"
site: slides
	$(DOCS)
	$(BIN)/python tools/website.py

slides: $(INSTALLED)
	$(BIN)/python tools/slides.py

student: $(INSTALLED)
	$(BIN)/python tools/student.py

# what `make test` leaves out: Sphinx and nbgrader themselves
test-site: site
	$(BIN)/python -m pytest tests/test_site.py tests/test_slides.py tests/test_student.py

sync: $(INSTALLED)
	$(BIN)/python tools/sync.py

lesson: $(INSTALLED)  # a small one that passes all tests, to be filled
	$(BIN)/python tools/lesson.py $(NAME)

stamp: $(INSTALLED)
	$(BIN)/python tools/stamp.py

bench: $(INSTALLED)
	$(BIN)/python benchmarks/compare.py

# installed again only when the dependencies change
$(INSTALLED): pyproject.toml $(wildcard $(CONSTRAINTS))
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable ".[test]"
	$(BIN)/python -c "open('$(INSTALLED)', 'w')"
