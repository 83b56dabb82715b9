"""From checked tables to effects: chosen, merged, combined and linked."""
