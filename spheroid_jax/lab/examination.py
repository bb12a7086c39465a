"""Examination of one picture: verdict, measurements, and the files that show them."""

import io
import pathlib
from collections.abc import Iterator

import numpy as np

from spheroid_jax import images
from spheroid_jax.images import find
from spheroid_jax.inference import evidence, postprocess, predict
from spheroid_jax.inference.model_file import Ensemble, Params
from spheroid_jax.lab import bodies as measuring
from spheroid_jax.lab import columns, outlines, rules, verdict
from spheroid_jax.lab import shape as shapes
from spheroid_jax.lab.bodies import Examined
from spheroid_jax.lab.plan import Item
from spheroid_jax.lab.wells import Well
from spheroid_jax.report import overlay

# A body whose diameter is below this share of the image's width is coarse on the network's grid,
# unless the model looks at it again.
_LEAST_DIAMETER_SHARE = 0.06


def examine_well(
    params: Params | Ensemble,
    item: Item,
    image: images.Image,
    prepared: predict.Prepared,
    maps: np.ndarray,
    model_rules: rules.Rules,
    *,
    several: bool,
) -> Well:
    """Judges and measures one picture.

    Args:
      params: the model.
      item: what was read.
      image: the picture.
      prepared: the picture as the network sees it.
      maps: the network's maps of the whole picture, as returned by `predict.grid_maps`.
      model_rules: the model's rules.
      several: whether to measure all bodies instead of the largest.
    """
    gray = images.Gray(image.pixels, *prepared.levels)
    scores, found = evidence.of_image(params, gray, prepared, maps)
    judged = verdict.judge(scores, model_rules)
    height, width = prepared.shape
    if not judged.measured:
        examined = Examined(postprocess.eight_bit_map(prepared.enlarged(maps[0])), [], 0)
    else:
        found = found or predict.find_bodies(params, gray, prepared, maps)
        examined = measuring.examine(gray, found, model_rules, several=several)
    return Well(
        item=item,
        height=height,
        width=width,
        notes=image.notes,
        verdict=judged,
        evidence=scores,
        examined=examined,
        shown=images.picture(gray, overlay.SIDE_PX),
        flags=(*_flags(item, examined, width, closer=predict.has_markers(params)), *image.doubts),
        doubts=image.doubts,
    )


def _flags(item, examined, width, *, closer):
    """What to keep in mind about a picture's measurements."""
    flags = []
    diameters = [body.shape.equivalent_diameter for body in examined.bodies]
    if any(diameter < shapes.LEAST_DIAMETER_PX for diameter in diameters):
        flags.append("small: the perimeter can be off by more than 3 %")
    if not closer and any(d < _LEAST_DIAMETER_SHARE * width for d in diameters):
        flags.append("small in the frame: coarse on the network's grid")
    if examined.bodies and item.pixel_size_um is None:
        flags.append("pixel size unknown: no values in um")
    return tuple(flags)


def outputs(well: Well) -> Iterator[tuple[str, bytes]]:
    """Yields path and content of each file of one picture."""
    item, bodies = well.item, well.examined.bodies
    name = item.name
    shape = (well.height, well.width)
    yield f"labels/{name}.ome.tif", outlines.labels_tiff(bodies, shape, item.pixel_size_um)
    probability = io.BytesIO()
    images.write_gray(probability, well.examined.eight_bit)
    yield f"probability/{name}.png", probability.getvalue()
    contours = [overlay.Contour(body.number, body.outline) for body in bodies]
    yield (
        f"overlays/{name}.jpg",
        overlay.draw(
            well.shown,
            contours,
            factor=well.shown.shape[1] / well.width,
            caption=well.verdict.verdict,
            pixel_size_um=item.pixel_size_um,
        ),
    )
    if bodies:
        values = [columns.values(body, item.pixel_size_um) for body in bodies]
        yield (
            f"rois/{name}.zip",
            outlines.roi_set(bodies, find.readable(pathlib.PurePath(name).name)),
        )
        yield f"outlines/{name}.geojson", outlines.geojson(bodies, values).encode()
