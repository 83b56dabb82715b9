"""Systematic-review meta-analysis of exercise and bone, from extraction tables to forest plots.

The public functions are imported when they are first used, so that `import osteometa` stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteometa.api.effect_sizes import md, rom, smd
    from osteometa.api.models import cross_check, pool, regress
    from osteometa.api.plots import forest
    from osteometa.api.reviews import check_review, derive

__version__ = "0.2.0"
__all__ = [
    "check_review", "cross_check", "derive", "forest", "md", "pool", "regress", "rom", "smd",
]  # fmt: skip
_MODULES = {
    "models": ("cross_check", "pool", "regress"),
    "effect_sizes": ("md", "rom", "smd"),
    "plots": ("forest",),
    "reviews": ("check_review", "derive"),
}


def __getattr__(name: str) -> object:
    """Import a public function when it is first used."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"osteometa.api.{module}"), name)
    raise AttributeError(f"module 'osteometa' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names beside those of the module."""
    return sorted([*globals(), *__all__])
