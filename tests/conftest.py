import pytest
from builders import copied


@pytest.fixture
def small(tmp_path):
    """A copy of the small review of made-up studies."""
    return copied("small", tmp_path / "review")
