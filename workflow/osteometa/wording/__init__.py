"""Words that figures, report and commands share, each set once."""
