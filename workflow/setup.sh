#!/bin/sh
# Sets up the one environment and runs what the Makefile asks for.
# The environment counts as set up only when the stamp, written last, names this lock and this Python:
# a broken-off set-up has no stamp and is made again.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
venv=.venv
stamp=$venv/.complete
PYTHONPATH=
export PYTHONPATH

say() { printf '%s\n' "$*" >&2; }

missing_python() {
    say "osteometa needs a Python from 3.11 to 3.13 with its venv module: on Debian/Ubuntu and in Windows (WSL) run 'sudo apt install python3 python3-venv', on macOS 'brew install python@3.13', then run make again."
    exit 1
}

# A Python is suitable if its version fits and it can make an environment with pip in it.
find_python() {
    for name in "${OSTEOMETA_PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
        [ -n "$name" ] || continue
        path=$(command -v "$name" 2>/dev/null) || continue
        "$path" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            2>/dev/null && { printf '%s\n' "$path"; return 0; }
    done
    return 1
}

# What the environment is made from; a change of any of these makes it anew.
wanted() {
    cat requirements.txt pyproject.toml workflow/setup.sh | cksum
    printf '%s\n' "$root"
}

pinned() {
    awk -v names="^($1)==" '/^[^ ]/ {keep = $0 ~ names} keep' requirements.txt
}

set_up() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && [ -x "$venv/bin/python" ] && return 0
    python=$(find_python) || missing_python
    say "setting up the environment with $("$python" --version 2>&1) ..."
    rm -rf "$venv"
    "$python" -m venv "$venv" 2>/dev/null || { rm -rf "$venv"; missing_python; }
    # uv comes from the lock too: its lines are cut out of it, hashes and all.
    pinned uv > "$venv/uv.txt"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r "$venv/uv.txt"
    uv() { "$venv/bin/python" -m uv "$@"; }
    # Build tools first, hashed (wheel needs packaging): one dependency comes as source only.
    pinned 'setuptools|wheel|packaging' > "$venv/build.txt"
    uv pip install -q --python "$venv/bin/python" --require-hashes -r "$venv/build.txt"
    uv pip install -q --python "$venv/bin/python" --require-hashes --no-build-isolation \
        --compile-bytecode -r requirements.txt
    uv pip install -q --python "$venv/bin/python" --no-build-isolation --no-deps -e .
    wanted > "$stamp"
}

# A killed run leaves Snakemake's lock behind; it is lifted only if no live run holds this folder.
unlock_if_stale() {
    [ -n "$(ls .snakemake/locks 2>/dev/null)" ] || return 0
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/cwd" 2>/dev/null)" = "$root" ] || continue
        case "$(tr '\0' ' ' < "$process/cmdline" 2>/dev/null)" in
            *snakemake*) say "another run is at work in this folder (process ${process#/proc/}): wait for it to end."; exit 1 ;;
        esac
    done
    if [ ! -d /proc/self ] && pgrep -f "$root/$venv/bin/snakemake" > /dev/null 2>&1; then
        say "another run is at work in this folder: wait for it to end."
        exit 1
    fi
    "$venv/bin/snakemake" --unlock > /dev/null 2>&1
    say "an interrupted run had left its lock; it is lifted."
}

# With few words Snakemake hides why it cannot plan a run at all; a job tells its problem itself.
say_why() {
    plan=$("$venv/bin/snakemake" -n --quiet host progress reason rules 2>&1) ||
        printf '%s\n' "$plan" | sed -n '/Exception/,$p' | cut -c1-300 | head -n 6 >&2
}

lock() {
    python=$(find_python) || missing_python
    maker=$(mktemp -d)
    trap 'rm -rf "$maker"' EXIT
    "$python" -m venv "$maker"
    "$maker/bin/python" -m pip install -q --disable-pip-version-check uv
    "$maker/bin/python" -m uv pip compile -q --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        --upgrade pyproject.toml -o requirements.txt
    say "requirements.txt is renewed; run make test."
}

# Strict: a warning, a broken link among them, fails.
build_docs() {
    "$venv/bin/python" -c 'import furo, myst_parser' 2>/dev/null ||
        "$venv/bin/python" -m uv pip install -q --python "$venv/bin/python" --no-build-isolation \
            --constraint requirements.txt -e '.[docs]'
    "$venv/bin/python" -m sphinx -q -W --keep-going -E -b html docs site
    say "the documentation is built: open site/index.html."
}

clean() {
    find data/processed results -mindepth 1 ! -name .gitkeep -delete
    rm -rf .snakemake .pytest_cache .ruff_cache .hypothesis
    say "what was derived is removed; data/raw, config.yaml and the environment stay."
}

case "${1:-review}" in
    setup) set_up ;;
    review)
        set_up
        unlock_if_stale
        "$venv/bin/snakemake" || { status=$?; say_why; exit $status; }
        ;;
    test)
        set_up
        "$venv/bin/ruff" check --quiet .
        "$venv/bin/ruff" format --quiet --check .
        "$venv/bin/python" tests/lint_snakemake.py
        exec "$venv/bin/python" -m pytest
        ;;
    docs) set_up; build_docs ;;
    lock) lock ;;
    clean) clean ;;
    *) say "usage: sh workflow/setup.sh [setup|review|test|docs|lock|clean]"; exit 2 ;;
esac
