"""Tables of a review as a workbook and back, and tables that other people keep."""
