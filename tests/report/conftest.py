"""Fixture of the page tests: a large page."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A page of 500 images; only three are distinct, because drawing outlines takes long."""
    # Not above: jaxtyping checks a package that is imported after it.
    from pages import scored_image, write

    from spheroid_jax.report import page

    rng = np.random.default_rng(0)
    models = ("unet", "base", "adver", "otsu")
    distinct = [scored_image(rng, size=480, models=models, folds=5) for _ in range(3)]
    drawn = {}
    draw_outline = page._outline

    def outline(scored, mask):
        if id(mask) not in drawn:
            drawn[id(mask)] = draw_outline(scored, mask)
        return drawn[id(mask)]

    path = tmp_path_factory.mktemp("large") / "page.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "_outline", outline)
        write(path, images=(distinct[n % 3]._replace(name=f"well {n}") for n in range(500)))
    return path
