"""Effects of comparisons on MD, SMD and ROM, each by the first derivation method that can be."""
