"""What else the effects of a synthesis can tell: small-study tests, permutations, other models."""
