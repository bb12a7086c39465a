"""Outlines and labels of bodies, in the formats that ImageJ, QuPath and other programs open.

ImageJ's ROI sets and QuPath's GeoJSON hold polygons in pixels: x to the right, y down, and the
corner of the upper left pixel at (0, 0). A polygon runs along the pixels' corners.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np
import roifile
import tifffile

from spheroid_jax import images
from spheroid_jax.lab.bodies import Body


def roi_set(bodies: list[Body], name: str) -> bytes:
    """Makes an ImageJ ROI set, a ZIP file of one polygon per body.

    Args:
      bodies: the bodies.
      name: name of the image, which begins the name of each region.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for body in bodies:
            region = roifile.ImagejRoi.frompoints(body.outline, name=f"{name}-{body.number}")
            # The same input gives the same bytes.
            entry = zipfile.ZipInfo(f"{name}-{body.number}.roi", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, region.tobytes())
    return file.getvalue()


def geojson(bodies: list[Body], measurements: list[dict]) -> str:
    """Makes GeoJSON as QuPath imports it: one detection per body, with its measurements.

    Args:
      bodies: the bodies.
      measurements: values by column, one dict per body.
    """
    features = [
        {
            "type": "Feature",
            "id": str(body.number),
            "geometry": {"type": "Polygon", "coordinates": [_ring(body.outline)]},
            "properties": {
                "objectType": "annotation",
                "name": f"body {body.number}",
                "classification": {"name": "spheroid"},
                "measurements": {k: v for k, v in values.items() if v is not None},
            },
        }
        for body, values in zip(bodies, measurements, strict=True)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, allow_nan=False, separators=(",", ":"))


def labels_tiff(
    bodies: Sequence[Body], shape: tuple[int, int], pixel_size_um: float | None
) -> bytes:
    """Makes an OME-TIFF of labels, 16 bit, with the pixel size where it is known.

    Args:
      bodies: the bodies; a pixel of a body has the body's number, and all others have 0.
      shape: height and width of the image.
      pixel_size_um: side of a pixel, or None.
    """
    metadata: dict = {"axes": "YX", "Name": "labels"}
    if pixel_size_um:
        metadata |= {
            "PhysicalSizeX": pixel_size_um,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": pixel_size_um,
            "PhysicalSizeYUnit": "µm",
        }
    file = io.BytesIO()
    strips = list(images.stripes(shape))
    tifffile.imwrite(
        file,
        (_strip(bodies, rows, shape[1]) for rows in strips),
        shape=shape,
        dtype=np.uint16,
        byteorder="<",
        rowsperstrip=strips[0].stop,
        ome=True,
        metadata=metadata,
        compression="zlib",
    )
    return file.getvalue()


def _strip(bodies, rows, width):
    """Labels of some rows of an image, compressed: large images have no whole copy of 16 bits."""
    labels = np.zeros((rows.stop - rows.start, width), "<u2")
    for body in bodies:
        labels[body.cutout.window(rows, slice(0, width))] = body.number
    # Labels are flat: a higher level takes long and saves little.
    return zlib.compress(labels.data, 1)


def _ring(outline):
    """A closed ring of the corners, as GeoJSON wants it."""
    corners = outline.round(2).tolist()
    return [*corners, corners[0]]
