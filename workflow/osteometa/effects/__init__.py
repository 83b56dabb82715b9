"""Effects of comparisons on MD, SMD and ROM, each by the first rung of its ladder that can be."""

from osteometa.effects.basis import Estimate
from osteometa.effects.hierarchy import Attempt, climb

__all__ = ["Attempt", "Estimate", "climb"]
