"""Forest plots: rows, layout, marks, pages and drawing."""
