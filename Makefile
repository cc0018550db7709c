# `make run` and `make test` need only Python 3.12 or newer, make and the package registries.
.DEFAULT_GOAL := help
.PHONY: help run servers test check nightly bench reset lock setup setup-dev browser
PY := .venv/bin/python

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: setup ## start everything here: servers, demo data on the first start, web, worker, scheduler
	@exec $(PY) -m otc.embedded.supervisor

servers: setup ## start PostgreSQL and Valkey only, for manage.py in another terminal
	@exec $(PY) -m otc.embedded.supervisor --servers-only

# The servers that tests start would otherwise compile every module again, each of them.
test nightly: export PYTHONDONTWRITEBYTECODE =
test: setup-dev browser ## the whole suite, browser included
	@$(PY) -m pytest -n 3 --dist worksteal

check: setup-dev ## style, types, layers, missing migrations, deployment settings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@echo manage.py check --deploy, with production settings
	@DJANGO_SETTINGS_MODULE=otc.production OTC_HOSTS=otc.example \
		DJANGO_SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(60))')" \
		DATABASE_URL=postgres://otc_app@db/otc REDIS_URL=redis://valkey:6379/0 \
		$(PY) manage.py check --deploy --fail-level WARNING

nightly: setup-dev browser ## the tests that take longer than the suite allows
	@$(PY) -m pytest -n 2 --dist worksteal -m nightly
	@OTC_NIGHTLY=1 $(PY) -m pytest -n 2 --dist worksteal $$(grep -rl IS_NIGHTLY tests --include="test_*.py")

bench: setup-dev ## measure the speed targets of benchmarks/README.md
	@$(PY) -m benchmarks

reset: ## stop this clone and delete its data: the next run is a first one
	@if [ -x $(PY) ]; then $(PY) -m otc.embedded.reset; else rm -rf .var; fi

lock: setup-dev ## renew the pinned packages from requirements*.in and package.json
	@$(PY) setup/lock.py

setup:
	@python=$$(sh setup/find-python.sh) && "$$python" setup/install.py

setup-dev:
	@python=$$(sh setup/find-python.sh) && "$$python" setup/install.py --dev

browser: setup-dev
	@$(PY) -m tests.browser.chromium
