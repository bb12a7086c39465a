"""File formats, one per module, each of which imports its own library.

Every format is a module with four functions:

    matches(head)                    whether a file that begins with these bytes has the format
    describe(path)                   the scenes of a file, a tuple of `Scene`
    read(path, scene, plane)         the pixels of one plane, (H, W) or (H, W, 3), of the scene with
                                     this number: upright, in colours, zero as black
    read_stored(path, scene, plane)  the same for masks and labels, whose stored numbers count

`Plane` has one number per axis. Pages that the file does not describe are counted by the option
whose axis the scene lacks. The format modules choose nothing: `choice` chooses a scene and a plane
from the description.
"""
