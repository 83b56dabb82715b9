"""From checked tables to effects: compared, estimated, selected, merged, combined and linked."""
