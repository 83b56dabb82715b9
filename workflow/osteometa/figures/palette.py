"""Colours, sizes of text and widths that all figures share."""

# Okabe and Ito's palette, distinguishable with deficient colour vision.
BLUE, ORANGE, GREEN, VERMILION, BLACK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#000000"
SKY, YELLOW = "#56B4E9", "#F0E442"
GREY = "#666666"
BODY, SMALL = 8.0, 7.0
"""Sizes of text in points; nothing is smaller than SMALL."""
NARROW, WIDE = 89.0, 183.0
"""Widths of one and of two columns of a journal, mm."""
POINT = 25.4 / 72
"""A point in mm."""
