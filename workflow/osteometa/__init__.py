"""Systematic-review meta-analysis of exercise and bone, from extraction tables to forest plots.

The public functions are imported when they are first used, so that `import osteometa` stays fast.
"""

from importlib import import_module

__version__ = "0.2.0"
__all__ = [
    "check_review", "cross_check", "derive", "forest", "md", "pool", "regress", "rom", "smd",
]  # fmt: skip
_ROOMS = {
    "models": ("cross_check", "pool", "regress"),
    "effect_sizes": ("md", "rom", "smd"),
    "plots": ("forest",),
    "reviews": ("check_review", "derive"),
}


def __getattr__(name: str) -> object:
    """Import a public function when it is first used."""
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"osteometa.api.{room}"), name)
    raise AttributeError(f"module 'osteometa' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names beside those of the module."""
    return sorted([*globals(), *__all__])
