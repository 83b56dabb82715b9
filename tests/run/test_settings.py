import pytest
from osteometa.protocol.config import part
from osteometa.run.invocation import Invocation


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("seed: ", "seed:  ", True),
        ("\n  method: REML", "\n  method: DL", False),
        ("\nseed: ", "\nseed: -", False),
        ("\nseed: ", "\nsed: ", False),
    ],
)
def test_settings_that_were_changed_or_broken_since_are_not_those_of_the_run(small, old, new, same):
    invocation = Invocation((str(small / "config.yaml"),))
    choices = part(invocation.load(), "seed", "pooling")
    assert invocation.unchanged(choices) is not None
    text = (small / "config.yaml").read_text(encoding="utf-8")
    assert old in text
    (small / "config.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert (invocation.unchanged(choices) is not None) is same
