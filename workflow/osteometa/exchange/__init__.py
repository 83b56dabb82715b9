"""Tables of a review as a workbook and back, and tables from other sources."""
