#!/bin/sh
# Sets up the environment and runs what the Makefile asks for.
# A set-up is complete only when its stamp, written last, matches the lock and this folder: a set-up
# that was interrupted has no stamp and is made again. A run needs the first part of the lock only;
# the tools for tests and documentation are added when they are first needed.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
venv=.venv
stamp=$venv/.complete
tools=$venv/.tools
scale_begins="# For a cluster and for specifications on disk"
tools_begin="# Tools for tests and documentation"
PYTHONPATH=
export PYTHONPATH

say() { printf '%s\n' "$*" >&2; }

missing_python() {
    say "osteometa needs a Python from 3.11 to 3.14 with its venv module: on Debian/Ubuntu and in Windows (WSL) run 'sudo apt install python3 python3-venv', on macOS 'brew install python@3.14', then run make again. Where the system has no such Python, uv fetches one: 'uv python install 3.14', then 'OSTEOMETA_PYTHON=\$(uv python find 3.14) make'."
    exit 1
}

# A Python is suitable if its version fits and it can make an environment with pip in it.
find_python() {
    for name in "${OSTEOMETA_PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3 python; do
        [ -n "$name" ] || continue
        path=$(command -v "$name" 2>/dev/null) || continue
        "$path" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
            2>/dev/null && { printf '%s\n' "$path"; return 0; }
    done
    return 1
}

# What the environment is made from: a change of any of these makes it anew.
wanted() {
    cat requirements.txt pyproject.toml workflow/setup.sh | cksum
    printf '%s\n' "$root"
}

# The lines of some packages in the lock, hashes included.
pinned() {
    awk -v names="^($1)==" '/^[^ ]/ {keep = $0 ~ names} keep' requirements.txt
}

# Read at each start of Python: signals end `snakemake` in a sentence while that is imported.
interrupt() {
    echo 'import sys; (sys.orig_argv[1:3] == ["-m", "snakemake"] or sys.orig_argv[1:] and sys.orig_argv[1].endswith("/snakemake")) and __import__("osteometa.run.interrupt", fromlist="watch").watch()'
}

uv() { "$venv/bin/python" -m uv "$@"; }

# Build tools are installed before what is built with them: some packages come as source only.
install() {
    uv pip install -q --python "$venv/bin/python" --require-hashes --no-build-isolation "$@"
}

set_up() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && [ -x "$venv/bin/python" ] && return 0
    python=$(find_python) || missing_python
    say "setting up the environment with $("$python" --version 2>&1) ..."
    rm -rf "$venv"
    "$python" -m venv "$venv" 2>/dev/null || { rm -rf "$venv"; missing_python; }
    pinned uv > "$venv/uv.txt"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r "$venv/uv.txt"
    pinned setuptools > "$venv/build.txt"
    install -r "$venv/build.txt"
    # immutables has no wheel for Python 3.14. Its extension in C is optional: with `true` in the
    # place of the compiler it is left out, and no compiler is needed.
    pinned immutables > "$venv/immutables.txt"
    install --only-binary immutables -r "$venv/immutables.txt" 2> /dev/null ||
        CC=true LDSHARED=true install --no-cache -r "$venv/immutables.txt"
    sed "/^$scale_begins/,\$d" requirements.txt > "$venv/run.txt"
    install --compile-bytecode -r "$venv/run.txt"
    uv pip install -q --python "$venv/bin/python" --no-build-isolation --no-deps -e .
    interrupt > "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/osteometa_interrupt.pth"
    wanted > "$stamp"
}

set_up_tools() {
    set_up
    [ -f "$tools" ] && return 0
    say "adding the tools for tests and documentation ..."
    sed "/^$scale_begins/,/^$tools_begin/d" requirements.txt > "$venv/tools.txt"
    install --compile-bytecode -r "$venv/tools.txt"
    : > "$tools"
}

# Apart from the others: each start of Snakemake imports the executors that are installed.
set_up_scale() {
    set_up
    sed "/^$tools_begin/,\$d" requirements.txt > "$venv/scale.txt"
    install --compile-bytecode -r "$venv/scale.txt"
}

# Exact versions and hashes for every extra, one file in three parts: what a run needs, what a
# cluster and specifications on disk need, the tools.
# Versions stay as they are where they still fit; `upgrade` renews all.
lock() {
    python=$(find_python) || missing_python
    maker=$(mktemp -d)
    trap 'rm -rf "$maker"' EXIT
    "$python" -m venv "$maker"
    "$maker/bin/python" -m pip install -q --disable-pip-version-check uv
    compile() {
        "$maker/bin/python" -m uv pip compile -q --universal --python-version 3.11 --fork-strategy fewest \
            --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
            --group setup pyproject.toml "$@"
    }
    cp requirements.txt "$maker/all.txt"
    compile --all-extras --generate-hashes "$@" -o "$maker/all.txt"
    compile --extra workflow --extra exchange -c "$maker/all.txt" -o "$maker/run.txt"
    compile --extra workflow --extra exchange --extra cluster --extra specifications \
        -c "$maker/all.txt" -o "$maker/scale.txt"
    part() {
        awk -v part="$1" '{name = $0; sub(/==.*/, "", name)}
            FILENAME == ARGV[1] {run[name] = 1; next}
            FILENAME == ARGV[2] {scale[name] = 1; next}
            /^[^ ]/ {keep = (name in run ? 1 : name in scale ? 2 : 3) == part} keep' \
            "$maker/run.txt" "$maker/scale.txt" "$maker/all.txt"
    }
    {
        part 1
        printf '%s: make scale.\n' "$scale_begins"
        part 2
        printf '%s: a run of the review does not need what follows.\n' "$tools_begin"
        part 3
    } > requirements.txt
    say "requirements.txt is renewed: run make test."
}

clean() {
    find data/processed results -mindepth 1 ! -name .gitkeep -delete
    rm -rf .snakemake .pytest_cache .ruff_cache .hypothesis
    say "Derived files are removed; data/raw, config.yaml and the environment are kept."
}

lint() {
    "$venv/bin/ruff" check --quiet .
    "$venv/bin/ruff" format --quiet --check .
    "$venv/bin/python" tests/lint_snakemake.py
}

types() { "$venv/bin/basedpyright" --pythonpath "$venv/bin/python"; }

# Strict: a warning, a broken link among them, fails.
build_docs() {
    "$venv/bin/python" -m sphinx -q -W --keep-going -E -b html docs site
    say "The documentation is built: open site/index.html."
}

case "${1:-review}" in
    setup) set_up_tools ;;
    install) set_up ;;
    scale) set_up_scale ;;
    review)
        set_up
        exec "$venv/bin/python" -m osteometa.cli run "${REVIEW:-.}"
        ;;
    test)
        set_up_tools
        lint
        types
        exec "$venv/bin/python" -m pytest
        ;;
    test-fast)
        set_up_tools
        exec "$venv/bin/python" -m pytest --ignore=tests/workflow -m "not slow"
        ;;
    lint) set_up_tools; lint ;;
    types) set_up_tools; types ;;
    docs) set_up_tools; build_docs ;;
    lock) lock ;;
    upgrade) lock --upgrade ;;
    clean) clean ;;
    *) say "usage: sh workflow/setup.sh [setup|install|scale|review|test|test-fast|lint|types|docs|lock|upgrade|clean]"; exit 2 ;;
esac
