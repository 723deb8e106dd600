# What the people who work on the template do. `just` alone checks everything. Nothing here changes
# uv.lock, whichever version of uv runs it; `uv lock` does.

set positional-arguments

# What runs in a rendered project uses that project's environment, not this one's.
unexport VIRTUAL_ENV

# `python3 -m uv run` does not put uv on the path, but says where it is.
export PATH := env("PATH") + ":" + parent_directory(env("UV", "/usr/bin/uv"))

# On two cores, for a third of the time is waiting. Who has nothing left to do takes over from others.
workers := "-n 3 --dist worksteal"

default: lint test exhaustive

# Check format, style and types of the tests; what the template renders, the tests check.
lint:
    @status=0; for tool in "ruff format --check" "ruff check" mypy; do \
        echo "$tool"; uv run --frozen $tool || status=1; done; exit $status

# Mend format and style.
fmt:
    uv run --frozen ruff check --fix --exit-zero
    uv run --frozen ruff format

# Run the tests that take less than ten minutes; `just test -k name` runs some of them.
test *arguments:
    uv run --frozen pytest {{ workers }} -m "not slow" "$@"

# Run the others: each variant's own tests and tools, its edits, and updates from every release; half an hour.
exhaustive *arguments:
    uv run --frozen pytest {{ workers }} -m slow "$@"

# Build the documentation site into build/docs; any warning, such as a broken link, is an error.
docs:
    uv run --frozen sphinx-build -W -n --keep-going --quiet -d build/doctrees docs build/docs

# Remove the kernel's guards one by one: each time the named test must fail; half an hour.
guards *arguments:
    uv run --frozen python -m tests.fuzz.guards "$@"

# Follow random histories of edits through updates, 200 from each release and set of answers: hours.
histories each="200" *arguments:
    uv run --frozen python -m tests.fuzz.histories --each "$@"

# Put random descriptions of entities through all that a team does with them, 20 in each variant: an hour.
descriptions each="20" *arguments:
    uv run --frozen python -m tests.fuzz.descriptions --each "$@"

# Follow list-append histories while connections, servers and processes fail, 20 in each variant: half an hour.
appends each="20" *arguments:
    uv run --frozen python -m tests.fuzz.appends --each "$@"

# Interrupt a unit, or take its connection away, at ten of its steps, in every way and variant; `just causes 1000000` at each.
causes each="10" *arguments:
    uv run --frozen python -m tests.fuzz.causes --each "$@"

# Say of many projects whether they are behind and an update would conflict: `just fleet ../*`.
[no-exit-message]
fleet *arguments:
    uv run --frozen sessionproof fleet "$@"

# Find in any project the ways in which sessions go wrong: `just examine ../your-project --html report.html`.
[no-exit-message]
examine *arguments:
    uv run --frozen sessionproof examine "$@"

# Render the files as they are: `just render ../try --data database=postgresql`.
render *arguments:
    uv run --frozen copier copy --defaults --vcs-ref HEAD "$PWD" "$@"

# Render a project with the defaults next to this checkout, and run its example end to end.
[no-exit-message]
demo destination="../task-queue":
    #!/usr/bin/env bash
    set -euo pipefail
    unset $(git rev-parse --local-env-vars) # in a hook of git, they name the hook's repository
    if test -e "$1/.copier-answers.yml"; then
        echo "$1 is a project of the template: going on with it"
    elif test -n "$(ls -A "$1" 2> /dev/null)"; then
        echo "$1 is not empty and not a project of the template; name another folder: just demo ../my-queue" >&2
        exit 1
    else
        uv run --frozen copier copy --quiet --defaults --vcs-ref HEAD "$PWD" "$1"
    fi
    cd "$1"
    unset UV_PROJECT_ENVIRONMENT UV_FROZEN UV_LOCKED # the project has an environment and a lock of its own
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

# Make the pictures of the documentation again, from what the programs print today.
pictures:
    uv run --frozen python docs/pictures/make.py

# Ask which dependencies have known vulnerabilities.
audit *arguments:
    uv audit --frozen "$@"
