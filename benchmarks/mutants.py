"""The seeded sample of mutants that mutation.py runs: drawn, read, written, listed on a page."""

from __future__ import annotations

import ast
import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "workflow"
MUTATED = tuple(
    f"osteometa/{place}.py"
    for place in (
        "numerics/*", "comparisons/*", "effects/*", "directions/*", "derivation/*", "pooling/*",
        "synthesis/*", "sensitivity/*",
    )
)  # fmt: skip
SEED, SIZE = 20261129, 480
FIRST = 437
"""Killed by the tests as they were when the sample was drawn, at least."""
MUTANTS = PROJECT / "benchmarks/mutants.csv"
SURVIVORS = PROJECT / "benchmarks/survivors.csv"
PAGE = PROJECT / "docs/mutation.md"
BUDGET = 10.0  # seconds of tests, unmutated and watched, in the first turn; `again` has no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one place."""

    number: int
    module: str
    line: int
    operator: str
    occurrence: int
    before: str
    """The line as it stands, and as it is changed."""
    after: str
    result: str = ""
    """killed, killed by time, survived, or empty: not run."""


def read_mutants() -> list[Mutant]:
    """Return the sample with the results so far."""
    with MUTANTS.open(encoding="utf-8", newline="") as lines:
        whole = {"number": int, "line": int, "occurrence": int}
        return [
            Mutant(**{k: whole.get(k, str)(v) for k, v in row.items()})
            for row in csv.DictReader(lines)
        ]


def write_mutants(mutants: list[Mutant]) -> None:
    """Write the sample."""
    with MUTANTS.open("w", encoding="utf-8", newline="") as out:
        rows = csv.DictWriter(out, [f.name for f in fields(Mutant)], lineterminator="\n")
        rows.writeheader()
        rows.writerows(asdict(m) for m in mutants)


def run_text(source: str) -> str:
    """Return the program of a text without what nothing runs.

    That is annotations and docstrings; and the mark `*` of a signature, which cosmic-ray takes for
    a product, counts as no other mark.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.arguments):
            node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            node.defaults += [value for value in node.kw_defaults if value]
            node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(0)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(0)
    return ast.dump(tree)


def mutated(module: str, operator: str, occurrence: int) -> str | None:
    """Return the text of a module with one place changed."""
    from cosmic_ray.mutating import MutationVisitor
    from cosmic_ray.plugins import get_operator

    source = (PACKAGE / module).read_text(encoding="utf-8")
    try:
        return MutationVisitor.mutate_code(source, get_operator(operator)(), occurrence)
    except AttributeError:  # cosmic-ray cannot replace an exception with a dot in its name
        return None


def places() -> list[tuple[str, str, int]]:
    """Return module, operator and occurrence of every mutant that cosmic-ray can make, shuffled.

    By the seed and a hash of what is changed, so that a line keeps its mutants when others change.
    """
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    found: list[tuple[str, str, int]] = []
    keys: list[tuple[object, ...]] = []
    for path in sorted(p for pattern in MUTATED for p in PACKAGE.glob(pattern)):
        module, source = str(path.relative_to(PACKAGE)), path.read_text(encoding="utf-8")
        nodes, lines = list(ast_nodes(get_ast(source))), source.splitlines()
        for name in sorted(operator_names()):
            try:
                operator = get_operator(name)()
            except TypeError:  # needs an argument, such as the name of a variable
                continue
            starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
            found += [(module, name, occurrence) for occurrence in range(len(starts))]
            keys += [(SEED, module, name, lines[line - 1].strip(), at) for line, at in starts]
    seen: Counter[tuple[object, ...]] = Counter()
    hashes = []
    for key in keys:
        seen[key] += 1
        hashes.append(hashlib.sha256(repr((*key, seen[key])).encode()).hexdigest())
    return [place for _, place in sorted(zip(hashes, found, strict=True))]


def sample(folder: Path) -> None:
    """Draw the sample; what changes annotations or docstrings only, or is no Python, is passed.

    Results so far stay, but not those of modules that have changed since.
    """
    possible = places()
    texts = {m: (PACKAGE / m).read_text(encoding="utf-8") for m, _, _ in possible}
    hashes = {m: hashlib.sha256(text.encode()).hexdigest() for m, text in texts.items()}
    kept = folder / "hashes.json"
    old = json.loads(kept.read_text()) if kept.exists() else {}
    known = {
        (m.module, m.operator, m.occurrence): m.result
        for m in read_mutants() if old.get(m.module, "") == hashes.get(m.module)
    }  # fmt: skip
    chosen: list[Mutant] = []
    passed = 0
    for module, operator, occurrence in possible:
        if len(chosen) == SIZE:
            break
        text = mutated(module, operator, occurrence)
        try:
            same = text is None or run_text(text) == run_text(texts[module])
        except SyntaxError:
            same = True
        if same:
            passed += 1
            continue
        old_lines, new = texts[module].splitlines(), text.splitlines()
        changed = (i for i, (a, b) in enumerate(zip(old_lines, new, strict=False)) if a != b)
        at, name = next(changed, 0), operator[5:]
        chosen.append(
            Mutant(
                number=len(chosen) + 1, module=module, line=at + 1, operator=name,
                occurrence=occurrence, before=old_lines[at].strip(), after=new[at].strip(),
                result=known.get((module, name, occurrence), ""),
            )
        )  # fmt: skip
    write_mutants(chosen)
    kept.write_text(json.dumps(hashes))
    left = sum(not m.result for m in chosen)
    print(f"{len(possible)} places; {len(chosen)} drawn, {passed} passed over as not run")
    print(f"{left} to be run")


KINDS = {
    "same": "give the same result for every input",
    "cost": "change time or memory only",
    "unreached": "differ only for inputs that are rejected before",
    "rounding": "differ only in rounding",
}


def explained() -> dict[tuple[str, str, str], tuple[str, str]]:
    """Return kind and reason of a survivor, by module, line before and line after."""
    with SURVIVORS.open(encoding="utf-8", newline="") as lines:
        return {
            (x["module"], x["before"], x["after"]): (x["kind"], x["why"])
            for x in csv.DictReader(lines)
        }


def page_lines() -> Iterator[str]:
    """Yield docs/mutation.md."""
    mutants = [m for m in read_mutants() if m.result]
    reasons = explained()
    total, alive = len(mutants), [m for m in mutants if m.result == "survived"]
    why = {m.number: reasons.get((m.module, m.before, m.after), ("", "")) for m in alive}
    counts = Counter(kind for kind, _ in why.values())
    same = counts["same"] + counts["cost"] + counts["unreached"]
    killed = total - len(alive)
    yield from (
        "# Mutation testing", "",
        "Made by `benchmarks/mutation.py`, which says how to run it. cosmic-ray changes one place "
        "of the statistics at a time (an operator, a number, a comparison, a decorator); a mutant "
        "is killed when a test fails. Annotations, docstrings and the mark `*` in a "
        "signature are left out.", "",
        "The sample is of all modules that compute statistics: numerics, comparisons, effects, "
        "directions, derivation, pooling, synthesis and sensitivity. The sample before, 2,000 "
        "mutants of effects, pooling, summaries, quantiles, directions and p values alone, had "
        "97.6 % killed (95.5 % before tests were written for those that survived).", "",
        f"Of a seeded sample of {SIZE} mutants (`benchmarks/mutants.csv`) {total} were run: "
        f"**{killed} killed ({100 * killed / total:.1f} %)**, "
        f"{sum(m.result == 'killed by time' for m in mutants)} of them by their time limit; "
        f"{len(alive)} survived all tests of their line. Of the {total - same} that "
        f"change the result for some input, {100 * killed / (total - same):.1f} % were killed.",
        "",
        f"At least {FIRST} ({100 * FIRST / total:.1f} %) were killed by the tests as they were "
        "when the sample was drawn; then tests were written for those that survived.", "",
        "The survivors:", "",
        *(f"- {counts[kind]} {words}" for kind, words in KINDS.items() if counts[kind]),
        *([f"- **{counts['']} not explained**"] if counts[""] else []), "",
        "| module | mutants | killed | survived |", "|---|---:|---:|---:|",
    )  # fmt: skip
    lived = Counter(m.module for m in alive)
    for module, count in sorted(Counter(m.module for m in mutants).items()):
        yield f"| `{module}` | {count} | {count - lived[module]} | {lived[module]} |"
    yield from (
        "",
        "## Survivors",
        "",
        "| place | line | changed to | why it survives |",
        "|---|---|---|---|",
    )
    for m in sorted(alive, key=lambda m: (m.module, m.line, m.after)):
        cells = [x.replace("|", "\\|") for x in (m.before, m.after)]
        kind, reason = why[m.number]
        words = reason if kind else "**not explained**"
        name = m.module.removeprefix("osteometa/")
        yield f"| `{name}:{m.line}` | `{cells[0]}` | `{cells[1]}` | {words} |"
