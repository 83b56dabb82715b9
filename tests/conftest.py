import pytest
from builders import copied
from osteometa.run.preloaded import collect_rarely

collect_rarely()


@pytest.fixture
def small(tmp_path):
    """A copy of the small review of made-up studies."""
    return copied("small", tmp_path / "review")


def pytest_collection_modifyitems(items):
    """Put the longest files first, so that no process is left with one at the end."""
    items.sort(key=lambda item: ("faults" not in item.nodeid, "tests/workflow/" not in item.nodeid))
