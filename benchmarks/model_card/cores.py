"""Part `cores`: drawn bodies with a dense core in a pale rim, and discs that are dense throughout.

No real image here has a mask of the core, so this says what the network has learned of drawings.
"""

import numpy as np

import spheroid_jax as sj
from benchmarks.model_card.numbers import cell, plain
from spheroid_jax.inference import predict
from spheroid_jax.report.tables import Table
from spheroid_jax.synthetic import scenes

COUNT = 60
KINDS = {"core": "a core in a rim of strands, a pale rim, or fading cells", "discs": "even discs"}
SIZES = (256, 384, 512)
_FIRST_SEED = 909_000_000
_LEAST = 0.5


def measure(given):
    """Compares the cores that are told with those that were drawn.

    Args:
      given: `settings.Given`.

    Returns:
      list with one dict per scene that has a core and in which a body is found: kind, F of the
      pixels of the cores, and the share of the bodies that is core, true and told. [] for a model
      that does not tell cores.
    """
    params = sj.load(given.model)
    if not predict.tells_cores(params):
        return []
    found = []
    for kind in KINDS:
        for n in range(given.count(COUNT)):
            scene = scenes.draw_scene(_FIRST_SEED + n, SIZES[n % len(SIZES)], kind)
            objects = sj.segment_objects(params, scene.image)
            if scene.core is not None and scene.core.any() and objects.labels.any():
                found.append({"kind": kind, **compare(scene, objects)})
    return plain(found)


def compare(scene, objects):
    """Compares the cores in the bodies that were found with those that were drawn."""
    told = (objects.core > _LEAST) & (objects.labels > 0)
    both = np.count_nonzero(told & scene.core)
    return {
        "f": 2 * both / (np.count_nonzero(told) + np.count_nonzero(scene.core)),
        "true_share": np.count_nonzero(scene.core) / np.count_nonzero(scene.labels),
        "share": np.count_nonzero(told) / np.count_nonzero(objects.labels),
    }


def tables(found):
    """Makes the table of what `measure` returned."""
    rows = []
    for kind in dict.fromkeys(each["kind"] for each in found):
        own = [each for each in found if each["kind"] == kind]
        errors = [abs(each["share"] - each["true_share"]) for each in own]
        rows.append(
            [
                KINDS[kind],
                cell(len(own), scale=1, digits=0),
                cell(np.mean([each["f"] for each in own])),
                cell(np.mean([each["true_share"] for each in own])),
                cell(np.mean([each["share"] for each in own])),
                cell(np.median(errors)),
            ]
        )
    return [
        Table(
            "Dense cores in drawn scenes, percent: F of their pixels; the share of the bodies "
            "that they are",
            ["drawn", "scenes", "F", "true share", "share told", "median error of the share"],
            rows,
        )
    ]
