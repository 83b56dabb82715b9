"""Mutation testing of the statistics: a seeded sample of cosmic-ray's mutants, one after the other.

cosmic-ray and coverage are tools of this benchmark alone and stand in no lock:

    python -m pip install --target /tmp/mutation cosmic-ray coverage
    .venv/bin/python benchmarks/mutation.py sample /tmp/mutation     the seeded sample
    .venv/bin/python benchmarks/mutation.py cover /tmp/mutation      which test runs which line
    .venv/bin/python benchmarks/mutation.py run /tmp/mutation [N]    the next N mutants (all)
    .venv/bin/python benchmarks/mutation.py again /tmp/mutation      those that survived, once more
    .venv/bin/python benchmarks/mutation.py page /tmp/mutation       docs/mutation.md

The sample is ``mutants.csv``, in the order drawn, so that its first N are a sample too. When a
module has changed, `sample` draws again: lines that are as they were keep their mutants, and those
of the changed modules are to be run again. No file is changed: pytest collects the tests once, and
for each mutant a child of that process puts the mutated functions in place (or imports the mutated
module where more than functions differ) and runs the tests that reach the mutated line, those of
its folder and the fast ones first, until one fails. `run` stops after some seconds of tests;
`again` takes all of them. ``survivors.csv`` says why a mutant survives.
"""

from __future__ import annotations

import ast
import gc
import importlib.machinery
import importlib.util
import inspect
import io
import itertools
import json
import math
import os
import resource
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType

import pytest
from mutants import (
    BUDGET,
    MUTATED,
    PACKAGE,
    PAGE,
    PROJECT,
    SIZE,
    Mutant,
    mutated,
    page_lines,
    read_mutants,
    sample,
    write_mutants,
)

# Without the tests that start other programs, draw, or run a whole review for minutes: few of these
# kill anything that the others leave.
TESTED = (
    "api", "cli", "comparisons", "derivation", "directions", "effects", "numerics", "pooling",
    "sensitivity", "synthesis", "validation",
)  # fmt: skip
DRAWING = {"test_figure"}
MEMORY = 4 << 30


class Watcher:
    """A pytest plugin: the duration of each test, and in coverage's data which test runs a line.

    What a fixture of a whole module runs is put down to every test that uses the fixture.
    """

    def __init__(self, cover: object) -> None:
        self.cover, self.took, self.failed = cover, {}, set()
        self.users: dict[str, list[str]] = {}
        self.test = ""

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        """Remember which tests use a fixture."""
        for item in items:
            for name in item.fixturenames:
                self.users.setdefault(f"fixture {name}", []).append(item.nodeid)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Start the lines of a test."""
        self.test = nodeid
        self.cover.switch_context(nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: object) -> Iterator[None]:
        """Count the lines of a shared fixture as its own."""
        if fixturedef.scope == "function":
            return (yield)
        self.cover.switch_context(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            self.cover.switch_context(self.test)

    def pytest_runtest_logreport(self, report: object) -> None:
        """Add the duration of a phase."""
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


def test_files() -> list[Path]:
    """Return the files of tests that may kill."""
    found = (path for folder in TESTED for path in (PROJECT / "tests" / folder).glob("test_*.py"))
    return sorted(path for path in found if path.stem not in DRAWING)


def preload() -> None:
    """Import what every child needs and no mutant changes; no randomness, no shrinking."""
    import hypothesis

    for name in ("numpy", "pydantic", "pytest", "scipy.optimize", "scipy.special", "scipy.stats"):
        importlib.import_module(name)

    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    hypothesis.settings.load_profile("mutants")
    os.chdir(PROJECT)
    sys.path.insert(0, str(PACKAGE))


OPTIONS = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--no-header"]


def cover(folder: Path) -> None:
    """Write to `cover.json` of the folder which test of each file reaches which lines."""
    preload()
    kept = folder / "cover.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    for path in test_files():
        stamp = path.stat().st_mtime
        if known.get(path.name, {}).get("stamp") == stamp:
            continue
        answer = folder / "one.json"
        if (child := os.fork()) == 0:
            _cover_one(path, answer)
        os.waitpid(child, 0)
        known[path.name] = {"stamp": stamp, **json.loads(answer.read_text())}
        print(f"{path.name}: {len(known[path.name]['took'])} tests", flush=True)
        kept.write_text(json.dumps(known))


def _cover_one(tests: Path, answer: Path) -> None:
    import coverage

    watched = coverage.Coverage(data_file=None, include=[str(PACKAGE / p) for p in MUTATED])
    watcher = Watcher(watched)
    for path in (p for pattern in MUTATED for p in PACKAGE.glob(pattern)):  # no lines of a test
        importlib.import_module(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    watched.start()
    options = [x for x in OPTIONS if x != "-x"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        pytest.main([*options, str(tests)], plugins=[watcher])
    watched.stop()
    data = watched.get_data()
    lines = {
        str(Path(name).relative_to(PACKAGE)): {
            line: sorted({test for x in found for test in watcher.users.get(x, [x])})
            for line, found in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    took = {test: t for test, t in watcher.took.items() if test not in watcher.failed}
    answer.write_text(json.dumps({"took": took, "lines": lines}))
    os._exit(0)


def statement(source: str, line: int) -> range | None:
    """Return the lines of the statement in a function that holds a line; None outside functions."""
    inside, best = False, None
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt) or not node.lineno <= line <= node.end_lineno:
            continue
        body = getattr(node, "body", None)
        end = body[0].lineno - 1 if body else node.end_lineno
        if isinstance(node, ast.FunctionDef):
            inside = inside or line > end
        elif line <= max(end, node.lineno):
            best = range(node.lineno, max(end, node.lineno) + 1)
    return best if inside else None


def chosen_tests(mutant: Mutant, known: dict[str, dict], thorough: bool) -> tuple[list[str], float]:
    """Return the tests that reach a mutant, and how long they take unmutated.

    File by file, so that a fixture of a module is made once; those of the mutant's folder come
    first, then the fast ones.
    Outside functions also those that reach no line, as they may look at what a module holds. Not
    `thorough`: no more than fit into the budget.
    """
    span = statement((PACKAGE / mutant.module).read_text(encoding="utf-8"), mutant.line)
    took: dict[str, float] = {}
    for found in known.values():
        if span is None:
            reaching = {t for at in found["lines"].values() for tests in at.values() for t in tests}
            took |= {test: time for test, time in found["took"].items() if test not in reaching}
        for at, tests in found["lines"].get(mutant.module, {}).items():
            if span is None or int(at) in span:
                took |= {test: found["took"][test] for test in tests if test in found["took"]}
    folder = f"tests/{mutant.module.split('/')[1]}/"
    files: Counter[str] = Counter()
    for test, time_ in took.items():
        files[test.split("::")[0]] += time_
    ranks = {
        test: (not test.startswith(folder), files[file], file, took[test])
        for test in took if (file := test.split("::")[0])
    }  # fmt: skip
    order = sorted(took, key=ranks.__getitem__)
    if not thorough:
        spent = itertools.accumulate(took[test] for test in order)
        order = [t for t, sum_ in zip(order, spent, strict=True) if sum_ <= BUDGET] or order[:1]
    return order, sum(took[test] for test in order)


def without_bodies(source: str) -> str:
    """Return a program with empty functions: what is run when the module is imported."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body, node.returns = [ast.Pass()], None
            for arg in ast.walk(node.args):
                if isinstance(arg, ast.arg):
                    arg.annotation = None
    return ast.dump(tree)


def functions(code: CodeType, inside: tuple[str, ...] = ()) -> Iterator[tuple[tuple, CodeType]]:
    """Yield name and code of the functions of a module, those of its classes included."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & inspect.CO_NEWLOCALS:
                yield (*inside, inner.co_name), inner
            else:  # the body of a class
                yield from functions(inner, (*inside, inner.co_name))


def put(module: str, text: str) -> None:
    """Put the mutated functions into the imported module, or import the mutated text anew."""
    path = PACKAGE / module
    name = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    source = path.read_text(encoding="utf-8")
    if without_bodies(source) != without_bodies(text):
        for other in [m for m in sys.modules if m.split(".")[0] == "osteometa"]:
            del sys.modules[other]
        sys.meta_path.insert(0, Finder(name, path, text))
        return
    old, new = (
        list(functions(compile(x, str(path), "exec", dont_inherit=True))) for x in (source, text)
    )
    for (place, before), (_, after) in zip(old, new, strict=True):
        if before != after:
            here = sys.modules[name]
            for part in place:
                here = inspect.getattr_static(here, part)
            here = getattr(here, "fget", getattr(here, "__func__", here))
            inspect.unwrap(here).__code__ = after


class Loader(importlib.machinery.SourceFileLoader):
    """Load the mutated text in place of the file."""

    text = ""

    def get_code(self, fullname: str) -> object:
        """Compile the mutated text; no compiled file is read or written."""
        return compile(self.text, self.path, "exec", dont_inherit=True)


@dataclass(frozen=True, slots=True)
class Finder:
    """Find one module in its mutated form."""

    name: str
    path: Path
    text: str

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        """Return the place of the module, or None for all others."""
        if name != self.name:
            return None
        loader = Loader(name, str(self.path))
        loader.text = self.text
        inner = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=loader, submodule_search_locations=inner
        )


def warned(text: str) -> bool:
    """Return whether Python warns of a text, as of `is` beside a literal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        try:
            compile(text, "mutant", "exec", dont_inherit=True)
        except SyntaxError:
            return True
    return False


class Mutations:
    """A pytest plugin: in place of the tests run, for each mutant, a child that runs its tests."""

    def __init__(self, folder: Path, only: tuple[str, ...], most: int) -> None:
        self.known = json.loads((folder / "cover.json").read_text())
        self.answer, self.only, self.most = folder / "mutant.json", only, most
        self.killer = ""

    def pytest_runtest_logreport(self, report: object) -> None:
        """Remember the test that failed."""
        if report.failed:
            self.killer = report.nodeid

    def pytest_runtestloop(self, session: object) -> bool:
        """Run the mutants whose result so far is one of `only`, and write each result down."""
        items = {item.nodeid: item for item in session.items}
        mutants = read_mutants()
        gc.freeze()  # so that children share this memory
        todo = [i for i, m in enumerate(mutants) if m.result in self.only][: self.most]
        for count, i in enumerate(todo, start=1):
            started = time.monotonic()
            result, killer = self.tested(mutants[i], items)
            mutants[i] = replace(mutants[i], result=result)
            took = time.monotonic() - started
            where = f"{mutants[i].module}:{mutants[i].line}"
            detail = killer if result != "survived" else f"{killer} {mutants[i].after}"
            print(
                f"{count}/{len(todo)} {took:.1f} s {where} {result} {detail}",
                file=OUTPUT,
                flush=True,
            )
            write_mutants(mutants)
        return True

    def tested(self, mutant: Mutant, items: dict[str, object]) -> tuple[str, str]:
        """Return the status of a mutant, and the test that killed it."""
        order, expected = chosen_tests(mutant, self.known, self.only == ("survived",))
        order = [test for test in order if test in items]
        text = mutated(mutant.module, f"core/{mutant.operator}", mutant.occurrence)
        if warned(text):
            return "killed", "(Python warns of it, which pyproject.toml makes an error)"
        if not order:
            return "survived", "(no test reaches it)"
        self.answer.unlink(missing_ok=True)
        if (child := os.fork()) == 0:
            seconds = math.ceil(10 + 2 * expected)  # of the processor: other work is no reason
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
            self.try_one(mutant, text, [items[test] for test in order])
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            return "killed by time", ""
        if not self.answer.exists():
            return "killed", "(the process ended)"
        killer = json.loads(self.answer.read_text())
        return ("killed" if killer else "survived"), killer

    def try_one(self, mutant: Mutant, text: str, items: list[object]) -> None:
        """Run the tests on the mutant, in the child, until one fails."""
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        put(mutant.module, text)
        if not any(isinstance(finder, Finder) for finder in sys.meta_path):
            for item, following in itertools.pairwise([*items, None]):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self.killer:
                    break
        else:  # the tests hold what they imported: they are imported anew as well
            files = list(dict.fromkeys(item.nodeid.split("::")[0] for item in items))
            of_tests = str(PROJECT / "tests")
            for name, module in list(sys.modules.items()):
                if (getattr(module, "__file__", None) or "").startswith(of_tests):
                    del sys.modules[name]
            select = Select([item.nodeid for item in items])
            ended = pytest.main([*OPTIONS, *files], plugins=[select])
            failed = "(what the tests share cannot be imported)"
            self.killer = failed if ended == pytest.ExitCode.USAGE_ERROR else select.killer
        self.answer.write_text(json.dumps(self.killer))
        os._exit(0)


class Select:
    """A pytest plugin: keep the named tests, in that order; what cannot be collected has failed."""

    def __init__(self, order: list[str]) -> None:
        self.place = {test: i for i, test in enumerate(order)}
        self.killer = ""

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        """Drop the others and sort."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.place),
            key=lambda item: self.place[item.nodeid],
        )

    def pytest_collectreport(self, report: object) -> None:
        """Remember a file that cannot be imported."""
        if report.failed:
            self.killer = report.nodeid

    def pytest_runtest_logreport(self, report: object) -> None:
        """Remember the test that failed."""
        if report.failed:
            self.killer = report.nodeid


OUTPUT = os.fdopen(os.dup(1), "w")


def run(folder: Path, only: tuple[str, ...], most: int) -> None:
    """Collect the tests once, and run the mutants."""
    preload()
    os.nice(5)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    pytest.main([*OPTIONS, *map(str, test_files())], plugins=[Mutations(folder, only, most)])


def main() -> None:
    """Do what is asked for."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    task, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    sys.path.append(str(folder))
    if task == "sample":
        sample(folder)
    elif task == "cover":
        cover(folder)
    elif task in ("run", "again"):
        most = int(sys.argv[3]) if len(sys.argv) > 3 else SIZE
        run(folder, ("survived",) if task == "again" else ("",), most)
    elif task == "page":
        PAGE.write_text("\n".join(page_lines()) + "\n", encoding="utf-8")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
