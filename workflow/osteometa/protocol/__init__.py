"""The choices of config.yaml, and what depends on each."""
