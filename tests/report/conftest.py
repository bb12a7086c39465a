"""Fixtures of the page tests: a large page, and a browser."""

import shutil

import numpy as np
import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def chromium():
    """The system's Chromium, headless; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright import sync_api

    # Closed after a module: the event loop that Playwright runs would be in other tests' way.
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


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
