from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from wellfit.report.marks.images import show_image


def test_an_image_has_its_place_its_proportions_and_its_pixels():
    axes = Figure().add_subplot()
    image = np.arange(8, dtype=np.uint8).reshape(4, 2)
    show_image(axes, image, 3.0, 1.0, smooth=False)
    (drawn,) = axes.images
    assert tuple(drawn.get_extent()) == (3.0, 3.5, 2.0, 1.0)
    np.testing.assert_array_equal(drawn.get_array()[..., 1], image)
    assert drawn.get_interpolation() == "none"
    color = np.zeros((2, 2, 3), np.uint8)
    show_image(axes, color, 0.0, 0.0)
    np.testing.assert_array_equal(axes.images[1].get_array(), color)
