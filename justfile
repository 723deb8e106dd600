# Tasks for people who work on the template. `just` without arguments checks everything. No task
# changes uv.lock; only `uv lock` does.

set positional-arguments

# Programs of a rendered project use that project's environment, not this one.
unexport VIRTUAL_ENV

# `python3 -m uv run` does not add uv to PATH, but sets UV.
export PATH := env("PATH") + ":" + parent_directory(env("UV", "/usr/bin/uv"))

# Three workers on two cores, because tests wait a third of the time. Idle workers take tests from others.
workers := "-n 3 --dist worksteal"

default: lint test exhaustive

# Check format, style and types of this repository. The tests check rendered projects.
lint:
    @status=0; for tool in "ruff format --check" "ruff check" mypy; do \
        echo "$tool"; uv run --frozen $tool || status=1; done; exit $status

# Fix format and style.
fmt:
    uv run --frozen ruff check --fix --exit-zero
    uv run --frozen ruff format

# Run the tests that take less than ten minutes; `just test -k name` runs some of them.
test *arguments:
    uv run --frozen pytest {{ workers }} -m "not slow" "$@"

# Run the slow tests: each variant's own tests and tools, and updates from every release (half an hour).
exhaustive *arguments:
    uv run --frozen pytest {{ workers }} -m slow "$@"

# Build the documentation site into build/docs; any warning, such as a broken link, is an error.
docs:
    uv run --frozen sphinx-build -W -n --keep-going --quiet -d build/doctrees docs build/docs

# Mutation tests: remove the kernel's guards one by one; the named test must fail (half an hour).
guards *arguments:
    uv run --frozen python -m tests.fuzz.guards "$@"

# Update projects with random edits, 200 from each release and set of answers (hours).
histories each="200" *arguments:
    uv run --frozen python -m tests.fuzz.histories --each "$@"

# Generate, migrate and test random entities, 20 in each variant (an hour).
descriptions each="20" *arguments:
    uv run --frozen python -m tests.fuzz.descriptions --each "$@"

# Check list-append histories while connections, servers and processes fail, 20 in each variant (half an hour).
appends each="20" *arguments:
    uv run --frozen python -m tests.fuzz.appends --each "$@"

# Interrupt units or their connections at ten steps, in every way and variant; `just causes 1000000` at all steps.
causes each="10" *arguments:
    uv run --frozen python -m tests.fuzz.causes --each "$@"

# Send random requests to the HTTP API of each variant for ten minutes; every answer must be as described.
schemas seconds="600" *arguments:
    uv run --frozen python -m tests.fuzz.schemas --seconds "$@"

# List which projects are behind the template and whether an update would conflict: `just fleet ../*`.
[no-exit-message]
fleet *arguments:
    uv run --frozen sessionproof fleet "$@"

# Check any Python project for misused sessions: `just examine ../your-project --html report.html`.
[no-exit-message]
examine *arguments:
    uv run --frozen sessionproof examine "$@"

# Render the current files: `just render ../try --data database=postgresql`.
render *arguments:
    uv run --frozen copier copy --defaults --vcs-ref HEAD "$PWD" "$@"

# Render a project with the defaults next to this checkout, and run its example end to end.
[no-exit-message]
demo destination="../task-queue":
    #!/usr/bin/env bash
    set -euo pipefail
    unset $(git rev-parse --local-env-vars) # a git hook sets them to its own repository
    if test -e "$1/.copier-answers.yml"; then
        echo "$1 is a project of the template: going on with it"
    elif test -n "$(ls -A "$1" 2> /dev/null)"; then
        echo "$1 is not empty and not a project of the template; name another folder: just demo ../my-queue" >&2
        exit 1
    else
        uv run --frozen copier copy --quiet --defaults --vcs-ref HEAD "$PWD" "$1"
    fi
    cd "$1"
    unset UV_PROJECT_ENVIRONMENT UV_FROZEN UV_LOCKED # the project has its own environment and lock
    uv sync
    if ! test -e .git; then
        git config user.email > /dev/null || {
            export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@example.org
            export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@example.org
        }
        git init --quiet
        git add --all
        git commit --quiet --no-gpg-sign --message "Start from the template"
    fi
    uv run just demo
    echo
    echo "The project is in $PWD: go there, and try \"uv run task-queue tasks list\" or \"uv run just\"."

# Make the pictures of the documentation from what the programs show now; the page's need Chromium.
pictures:
    uv run --frozen python docs/pictures/make.py
    uv run --frozen python -m docs.pictures.screens

# Check the dependencies for known vulnerabilities, and the workflows for mistakes that attackers use.
audit *arguments:
    uv audit --frozen "$@"
    uv run --frozen zizmor --offline --quiet .github template/.github
