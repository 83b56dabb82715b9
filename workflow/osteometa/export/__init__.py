"""What authors hand in: Word, Excel, PDF and figures of a finished run, and its archive."""
