"""File formats of images, one per module; each module imports its own library.

Every module has four functions:

    matches(head)                    whether a file that begins with these bytes has the format;
                                     `ome_zarr`, whose images are folders, has `is_store(folder)`
    describe(path)                   the scenes of a file, a tuple of `Scene`
    read(path, scene, plane)         the pixels of one plane, (H, W) or (H, W, 3), of the scene with
                                     this number: upright, in colours, zero as black
    read_stored(path, scene, plane)  the same for masks and labels: the numbers as they are stored

`Plane` has one number per axis. If a file does not describe its pages, `Plane` counts the pages
along an axis that the scene lacks. The module `choice` chooses the scene and the plane from the
description; the format modules choose nothing.
"""
