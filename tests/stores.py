"""OME-Zarr folders, written here by the text of the specification with the library zarr."""

import numpy as np
import zarr

UNIT = "micrometer"
SCALE = {"t": 1.0, "c": 1.0, "z": 2.0, "y": 0.65, "x": 0.65}


def axes_of(names, unit=UNIT):
    """The metadata of axes by their letters."""
    kinds = {"t": "time", "c": "channel"}
    axes = [{"name": name, "type": kinds.get(name, "space")} for name in names]
    return [axis | ({"unit": unit} if unit and axis["type"] == "space" else {}) for axis in axes]


def write_image(group, levels, axes, *, scale=None, labels=(), name="", storage=None, **more):
    """Writes arrays and metadata of one image into an open group.

    Args:
      group: `zarr.Group`.
      levels: arrays, the largest first; each next has half the sides.
      axes: as returned by `axes_of`.
      scale: of the first level, one number per axis; None for `SCALE`.
      labels: names of channels.
      name: of the image.
      storage: options of `zarr.Group.create_array`.
      more: replaces metadata of the image.
    """
    scale = scale or [SCALE[axis["name"]] for axis in axes]
    datasets = []
    for n, pixels in enumerate(levels):
        chunks = (1,) * (pixels.ndim - 2) + (16, 16)
        options = {"chunks": chunks, "dtype": pixels.dtype} | (storage or {})
        group.create_array(str(n), shape=pixels.shape, **options)[:] = pixels
        grown = [s * 2**n if a["name"] in "yx" else s for s, a in zip(scale, axes, strict=True)]
        transformations = [{"type": "scale", "scale": grown}]
        datasets.append({"path": str(n), "coordinateTransformations": transformations})
    image = {"axes": axes, "datasets": datasets, "name": name} | more
    about = {"multiscales": [image | {"version": "0.4"}]}
    if labels:
        about["omero"] = {"channels": [{"label": label, "color": "FFFFFF"} for label in labels]}
    put(group, about)


def put(group, about):
    """Writes metadata where the version of the Zarr format has them."""
    group.attrs.update(about if group.metadata.zarr_format == 2 else {"ome": about})


def opened(path, zarr_format):
    """Opens a new group for writing."""
    return zarr.open_group(path, mode="w", zarr_format=zarr_format)


def write_plate(path, wells, zarr_format, shape=(36, 44)):
    """Writes a plate; `wells` is a dict from "A/1" to the gray level of each field."""
    root = opened(path, zarr_format)
    put(root, {"plate": {"wells": [{"path": well} for well in wells], "name": "plate"}})
    for well, values in wells.items():
        group = root.create_group(well)
        put(group, {"well": {"images": [{"path": str(n)} for n in range(len(values))]}})
        for n, value in enumerate(values):
            pixels = np.full(shape, value, np.uint16)
            write_image(group.create_group(str(n)), [pixels], axes_of("yx"))
    return path
