"""What is read of YAML, and what is refused."""

import tracemalloc

import pytest
from osteometa.io.problems import ProblemsFound
from osteometa.io.yaml_file import read_yaml

BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


def read(folder, text):
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)[0]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "Merge keys are not read"),
        ("a: &x 1\nb: *x\n", 2, "Aliases are not read"),
        ("a: !!omap [b: 1]\n", 1, "Tags are not read"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "Tags are not read"),
        ("seed: " + "9" * 5000, 1, "at most 20 are read"),
        ("seed: 0x" + "f" * 5000, 1, "at most 20 are read"),
        ("seed: 0b" + "1" * 50000, 1, "at most 20 are read"),
        ("cap: 1_000\n", 1, "no underscores"),
        ("r: 0.5_5e1_0\n", 1, "no underscores"),
        ("a: " + "[" * 5000, 1, "levels deep"),
        ("a: 1\n---\nb: 1\n", 2, "another document"),
        ("a" * 1_000_001, None, "more than 1000000 characters"),
    ],
)
def test_what_hides_a_value_is_refused_at_its_line(tmp_path, text, line, words):
    with pytest.raises(ProblemsFound) as found:
        read(tmp_path, text)
    (problem,) = found.value.problems
    assert problem.row == line and words in problem.message and problem.message[-1] in ".?"


def test_a_file_that_would_grow_is_refused_before_it_does(tmp_path):
    tracemalloc.start()
    with pytest.raises(ProblemsFound, match="Aliases are not read"):
        read(tmp_path, BOMB)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


def test_text_between_quotes_is_text(tmp_path):
    text = "a: '<<'\nb: \"1_0\"\nc: |\n  1_000\nd: 2001-01-01\n"
    assert read(tmp_path, text) == {"a": "<<", "b": "1_0", "c": "1_000\n", "d": "2001-01-01"}
