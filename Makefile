# The commands of this project. `make demo` and `make test` set up what they need; nothing has to be activated.
#
#   make demo          the portal with demo data, on http://127.0.0.1:8000/ (PORT=8123 and DATABASE_URL=… are honoured)
#   make test          everything that is checked: lint, then the tests on SQLite, on PostgreSQL and in a browser
#   make lint          the first of these only
#   make look          every page and dialog as each role, light and dark, at three widths: what is wrong, screenshots
#   make requirements  after a change in pyproject.toml (UPGRADE=--upgrade takes the newest releases)
#   make clean         removes what the others made; the database portal.sqlite3 stays

PORT ?= 8000
UPGRADE ?=
BIN := .venv/bin
# Installs packages, several times faster than pip. Where it cannot, pip does.
UV := uv==0.13.9

.PHONY: demo test lint look requirements clean

demo: export DEMO = 1
demo: export PORTAL_URL = http://127.0.0.1:$(PORT)
demo: .venv/installed
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' 2>/dev/null \
	    || { echo "Port $(PORT) is taken or not a port. Choose another one: make demo PORT=8001" >&2; exit 1; }
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py createcachetable --verbosity 0
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@$(BIN)/python manage.py seed_demo
	@echo
	@echo "  Customer Portal: http://127.0.0.1:$(PORT)/   (stop it with Ctrl-C)"
	@echo
	@echo "  Acme Logistics   ada@acme.example          Admin"
	@echo "                   eva@acme.example          Editor"
	@echo "                   vic@acme.example          Viewer"
	@echo "                   uma@acme.example          no role"
	@echo "  Globex           gus@globex.example        Admin"
	@echo "  both             cleo@consult.example      Viewer"
	@echo "  Providers        staff@northlight.example  /admin/ of Northlight Software"
	@echo "                   staff@harbor.example      /admin/ of Harbor Cloud"
	@echo "  Platform         operator@portal.example   /admin/, everything"
	@echo
	@echo "  The password of each is portal-demo"
	@echo
	@$(BIN)/python manage.py work & exec $(BIN)/gunicorn portal.wsgi --bind 127.0.0.1:$(PORT) --threads 8 --log-level warning --no-control-socket

test: .venv/installed-test
	@$(BIN)/python tests/legs.py

lint: .venv/installed-test
	@$(BIN)/python tests/legs.py lint

look: .venv/installed-test
	@$(BIN)/python -m tests.look

requirements: | .venv/bin/pip
	@$(BIN)/pip install --quiet $(UV)
	$(BIN)/uv pip compile pyproject.toml $(UPGRADE) --universal --generate-hashes --no-header \
	    --python-version 3.11 --quiet -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml $(UPGRADE) --extra test --universal --generate-hashes --no-header \
	    --python-version 3.11 --quiet -o requirements-test.txt

clean:
	rm -rf .venv staticfiles test-results look-results .look-tools .coverage \
	    .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Set-up --------------------------------------------------------------------------------------------------------------
# The two files are empty: make compares their age with that of the requirements, so that a second run installs nothing.

.venv/installed: requirements.txt | .venv/bin/pip
	@$(call install,$<)
	@touch $@

.venv/installed-test: requirements-test.txt | .venv/bin/pip
	@$(call install,$<)
	@touch $@

define install
echo "Installing $(1)"; \
{ $(BIN)/pip install --quiet $(UV) \
    && $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1); } \
|| { echo "uv could not; pip does it now, which takes a minute or two"; \
     $(BIN)/pip install --quiet --require-hashes -r $(1); }
endef

.venv/bin/pip:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	    python=; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Install Python 3.11 or newer: none was found under the names python3, python3.11 to python3.14." >&2; \
	    exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "Install python3-venv (Debian: apt install python3-venv): $$python cannot make virtual environments." >&2; \
	    exit 1; \
	fi; \
	$$python -m venv .venv
