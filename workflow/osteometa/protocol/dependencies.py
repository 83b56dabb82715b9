"""What the pools of a synthesis depend on of config.yaml, and the choices that are not taken."""

from typing import Any

from osteometa.protocol.config import Config, part
from osteometa.wording.choices import SMD_POST, SMD_PRE_POST


def other_forms(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """Return the forms of effects and variances that are not the primary ones: name and change."""
    choices: dict[str, tuple] = {
        "smd_variance": config.sensitivity.smd_variance,
        "smd_post": SMD_POST,
        "smd_pre_post": SMD_PRE_POST,
        "rom_correction": (False, True),
    }
    return [
        (f"{key}={str(value).lower() if isinstance(value, bool) else value}", {key: value})
        for key, values in choices.items()
        for value in values
        if value != getattr(config.effects, key)
    ]


def pool_settings(config: Config, synthesis_id: str) -> dict[str, Any]:
    """Return what pools and sensitivity analyses of a synthesis depend on, as a part of the config.

    Of the outcomes only its own, so that a choice for one outcome reruns that one alone.
    """
    synthesis = next(s for s in config.syntheses if s.id == synthesis_id)
    values = part(
        config, "outcomes", "effects", "pooling", "small_k", "subgroups", "derivation",
        "sensitivity", "multiverse", "seed",
    )  # fmt: skip
    return {**values, "outcomes": {synthesis.outcome: values["outcomes"][synthesis.outcome]}}
