"""Settings of all tests: strict shapes, several CPU devices, small images."""

import os
import shutil

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# ruff: noqa: E402  (JAX reads its platform when it is imported)
import jax
import numpy as np
import pytest
from hypothesis import settings

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_num_cpu_devices", 4)
# Compilation takes most of the time of the tests, and tiny arrays are fast without optimization.
jax.config.update("jax_disable_most_optimizations", True)

# Hypothesis draws the same examples in every run, and has no time limit on a busy machine.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.fixture
def rng():
    """Returns a seeded random generator."""
    return np.random.default_rng(0)


@pytest.fixture
def data_root(tmp_path):
    """Writes a data root of two datasets with 8 and 7 small images."""
    # Imported here, because jaxtyping only checks packages that are imported after it.
    from helpers import write_root

    return write_root(tmp_path / "root", {"dataset1": 8, "dataset2": 7})


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """Returns a folder, a data root in it, and an environment with caches in the folder."""
    from helpers import ROOT, write_root

    folder = tmp_path_factory.mktemp("launch")
    root = write_root(folder / "root", {"dataset1": 8, "dataset2": 7})
    environment = os.environ | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "MPLCONFIGDIR": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
    return folder, root, environment


@pytest.fixture(scope="session")
def trained(workplace):
    """Trains the uninterrupted run with which other runs are compared."""
    from launching import TF, demo, launch

    status, out, err = launch(workplace, *demo(workplace, "trained", TF))
    assert status == 0, err
    return workplace[0] / "trained" / "fold_0", out, err


@pytest.fixture(scope="module")
def chromium():
    """The system's Chromium, headless; skips where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("Chromium is not installed")
    from playwright import sync_api

    # Closed after a module: the event loop that Playwright runs would be in other tests' way.
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def trusting():
    """Rules by which every image with a mask has a body, and no check complains."""
    from spheroid_jax.inference import presence
    from spheroid_jax.lab import rules

    return rules.Rules(
        intercept=1.0,
        weights=dict.fromkeys(presence.SCORES, 0.0),
        mean=dict.fromkeys(presence.SCORES, 0.0),
        sd=dict.fromkeys(presence.SCORES, 1.0),
        precision=np.eye(len(presence.SCORES)).tolist(),
        centre=[0.0] * len(presence.SCORES),
        thresholds={
            "presence": 0.0,
            "presence_margin": 0.0,
            "crowd": 10**9,
            "dome": 1.0,
            "neck": 0.0,
            "blur": 1e9,
            "signal_to_noise": -1.0,
            "specks": 1.0,
            "border": 0.01,
            "solidity": 0.0,
            "ragged_doubt": 1.0,
            "distance": 1e9,
        },
        error_bars={
            "area_factor": 1.0,
            "area_floor": 0.01,
            "circularity_factor": 1.0,
            "circularity_floor": 0.01,
        },
    )


@pytest.fixture
def model(tmp_path, monkeypatch, trusting):
    """A packaged model of this test's own, named as the default, with the trusting rules."""
    from helpers import thresholding

    from spheroid_jax.inference import model_file, pretrained
    from spheroid_jax.lab import rules
    from spheroid_jax.runtime import compilation, files

    monkeypatch.setattr(compilation, "keep_programs", lambda folder: None)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    folder = tmp_path / "pretrained" / pretrained.DEFAULT
    model_file.save(thresholding(64), folder, provenance={})
    files.write_json(folder / rules.FILE, trusting._asdict())
    return folder


@pytest.fixture
def plate(tmp_path, monkeypatch, model, rng):
    """Two days of two wells, 64 px, disks of radius 12 to 15, 0.5 um per pixel."""
    import tifffile
    from helpers import dark_disk

    monkeypatch.chdir(tmp_path)
    for day in (1, 3):
        for column in (1, 2):
            image, _ = dark_disk(64, (30, 34), 10 + day + column, rng)
            path = tmp_path / "plate" / f"day{day}" / f"A0{column}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            options = {"resolution": (2, 2), "metadata": {"unit": "um"}}
            tifffile.imwrite(path, image, imagej=True, **options)
    return tmp_path / "plate"
