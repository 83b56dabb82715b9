"""Images of figures: their colours and their pages."""

import numpy as np
import pytest
from osteometa.figures.files import drawings, files_of, images_of, in_full, in_palette
from osteometa.figures.style import new_figure, put

WHITE, BLACK, BLUE = 0xFFFFFFFF, 0xFF000000, 0xFFB27200
"""RGBX as a number of a little-endian machine."""


def pixels(*lines):
    return np.array(lines, dtype="<u4")


@pytest.mark.parametrize(
    "image",
    [
        pixels([WHITE, WHITE], [WHITE, WHITE]),
        pixels([BLACK, WHITE], [WHITE, BLUE]),
        pixels([WHITE, BLACK, BLUE], [BLACK, BLACK, WHITE]),
    ],
    ids=["one colour", "a black corner", "three colours"],
)
def test_few_colours_are_kept(image):
    found, full = in_palette(image), in_full(image)
    assert (found.mode, found.size) == ("P", full.size)
    assert np.abs(np.asarray(found.convert("RGB"), int) - np.asarray(full, int)).max() <= 2


def test_many_colours_become_256_that_are_near():
    shades = np.arange(64, dtype="<u4") * 4
    image = WHITE - shades[:, None] - (shades[None, :] << 8)
    found = in_palette(image)
    assert len(found.getcolors()) <= 256
    far = np.abs(np.asarray(found.convert("RGB"), int) - np.asarray(in_full(image), int))
    assert far.max() <= 32


def test_images_are_the_pages_in_order():
    figures = []
    for width in (20, 30, 40):
        figure, axes = new_figure(width, 10)
        put(axes, 2, 5, "x")
        figures.append(figure)
    (pdf,) = files_of(drawings(figures), "pdf")
    images = list(images_of(pdf, 72))
    assert [image.shape[1] for image in images] == pytest.approx([57, 85, 113], abs=1)
    assert all(image[0, 0] == WHITE and (image != WHITE).any() for image in images)
