"""What one run of the workflow needs: progress, hashes, dependence on code."""
