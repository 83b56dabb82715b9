import shutil
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def copied(name: str, target: Path) -> Path:
    shutil.copytree(TESTS / "reviews" / name, target, dirs_exist_ok=True)
    return target


@pytest.fixture
def small(tmp_path):
    """A copy of the small review of made-up studies."""
    return copied("small", tmp_path / "review")
