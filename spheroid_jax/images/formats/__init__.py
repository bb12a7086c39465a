"""File formats, one per module, each of which imports its own library.

Every format is a module with four functions:

    matches(head)                      whether a file that begins with these bytes has the format
    describe(path)                     the scenes of a file, a tuple of `Scene`
    read(path, scene, plane)           pixels of one plane, (H, W) or (H, W, 3), of the scene of
    that
                                       number: upright, in colours, zero as black
    read_stored(path, scene, plane)    the same of a mask or label image, whose numbers count

`Plane` has a number per axis. Pages of which a file does not say what they are, are counted by the
one number that the scene has no axis for. The modules choose nothing: `choice` does so, from the
description.
"""
