"""Effects of comparisons on MD, SMD and ROM, each by the first rung of its ladder that can be."""

from osteometa.effects.ladder import Attempt, Estimate, climb

__all__ = ["Attempt", "Estimate", "climb"]
