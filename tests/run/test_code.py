import ast
import json
import subprocess
import sys

import pytest
from builders import ROOT
from osteometa.run.code import PACKAGE, _direct, code_of, files_behind

SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
# Runs the import lines of each script in turn and tells which files of the package they loaded.
LOADER = """
import ast, json, sys
from pathlib import Path

loaded = {}
for script in sys.argv[1:]:
    for name in [name for name in sys.modules if name.split(".")[0] == "osteometa"]:
        del sys.modules[name]
    tree = ast.parse(Path(script).read_text(encoding="utf-8"))
    tree.body = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
    exec(compile(tree, script, "exec"), {})
    loaded[script] = [
        module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "osteometa"
    ]
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded():
    command = [sys.executable, "-c", LOADER, *map(str, SCRIPTS)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
@pytest.mark.slow
def test_every_file_that_a_script_loads_is_part_of_its_hash(script, loaded):
    assert loaded[str(script)]
    assert set(loaded[str(script)]) <= set(map(str, files_behind(script)))


def test_imports_inside_functions_count_too():
    assert PACKAGE / "validation/cells.py" in files_behind(SCRIPTS[0].with_name("extract.py"))


def imports_of(path):
    """Return what a file imports of the package, by Python's own parser, but for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [n for n in tree.body if not ast.unparse(n).startswith("if TYPE_CHECKING")]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import is not found"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("folder", [PACKAGE, ROOT / "workflow/scripts"], ids=lambda path: path.name)
def test_the_expression_finds_every_import_that_the_parser_finds(folder):
    for path in sorted(folder.rglob("*.py")):
        own = {name for name in imports_of(path) if name.split(".")[0] == "osteometa"}
        assert own <= _direct(path), path


@pytest.mark.parametrize("folder", ["benchmarks", "docs"])
def test_what_a_script_beside_the_package_imports_exists(folder):
    for path in sorted((ROOT / folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("osteometa"):
                exec(compile(ast.Module([node], []), path, "exec"), {})


def libraries(name):
    """Return the libraries that a script alone has loaded when its work begins."""
    lines = f"{LOADER}\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    command = [sys.executable, "-c", lines, str(SCRIPTS[0].with_name(f"{name}.py"))]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(json.loads(output.splitlines()[-1]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["figures", "overview"])
def test_drawing_rests_on_no_statistics(name):
    statistics = {"pooling", "effects", "explore"}
    files = files_behind(SCRIPTS[0].with_name(f"{name}.py"))
    assert not statistics & {
        file.relative_to(PACKAGE).parts[0] for file in files if file.is_relative_to(PACKAGE)
    }
    assert not {"scipy", "statsmodels", "pymare", "pandas"} & libraries(name)


def test_pooling_does():
    assert "scipy" in libraries("pool")


def test_a_template_is_part_of_the_hash():
    assert PACKAGE / "report/report.html.j2" in files_behind(SCRIPTS[0].with_name("report.py"))
    assert code_of(SCRIPTS[0]) == code_of(SCRIPTS[0]) != code_of(SCRIPTS[1])
