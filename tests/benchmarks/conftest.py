"""A collection of small images, laid out as the benchmarks expect it."""

import numpy as np
import pytest
from helpers import write_root
from PIL import Image

from benchmarks import machine, sets
from spheroid_jax.runtime import compilation


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch):
    """Keeps the tests away from the user's cache folder, and times no matrix products."""
    monkeypatch.setattr(compilation, "keep_programs", lambda folder: None)
    monkeypatch.setattr(machine, "matrix_product_rate", lambda: 1e9)


@pytest.fixture(scope="session")
def collection(tmp_path_factory):
    """A folder laid out as the real one, with few images of 48 px."""
    data = tmp_path_factory.mktemp("collection")
    counts = {"neurospheres": 4, "mcf7-collagen": 3, "fly-embryos": 1}
    for each in sets.SETS:
        place = data / each.place
        write_root(place.parent, {place.name: counts.get(each.name, 2)})
        if each.name in ("ipsc-frames", "neurospheres"):
            (place / "labels").mkdir()
            for path in (place / "masks").iterdir():
                body = np.asarray(Image.open(path)) > 0
                Image.fromarray(7 * body.astype(np.uint8)).save(place / "labels" / path.name)
    empty = data / "training/no-body/images"
    empty.mkdir(parents=True)
    for stem in ("a673_image_19", "a_s04_no_stack", "a_s11_no_stack"):
        ramp = np.arange(40 * 48, dtype=np.uint16).reshape(40, 48) // 10
        Image.fromarray(ramp.astype(np.uint8)).save(empty / f"{stem}.png")
    return data
