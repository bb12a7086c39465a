"""The command `spheroid segment`: writes a mask for each image.

    spheroid segment plate --output masks

writes masks/NAME.png (0 and 255) for every image plate/NAME.tif, in the size of the image. If an
image cannot be read, or its mask cannot be written, the command reports the image and goes on.
"""

import pathlib
import sys

from spheroid_jax.commands import failures, parsers

NAME = "spheroid segment"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _segment, given)


def _parser():
    parser = parsers.parser(
        NAME,
        "Writes a mask for each image: a PNG file of the image's size, 255 in the spheroid and 0 "
        "elsewhere. Folders are searched for images with all their subfolders, and the output "
        "folder gets the same subfolders.",
        {
            "spheroid segment plate": "writes masks/A01.png for plate/A01.tif, and so on",
            'spheroid segment "day*/*.tif" --model runs/mine --output results': "writes "
            "results/day1/A01.png for day1/A01.tif, with a model of your own",
        },
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="image file, folder, or quoted glob"
    )
    parser.add_argument(
        "--model",
        default="spheroid-small",
        help="name of a packaged model, or folder of a trained fold or run (%(default)s)",
    )
    parser.add_argument(
        "--output", default="masks", metavar="FOLDER", help="folder of the masks (%(default)s)"
    )
    parser.add_argument(
        "--existing",
        choices=("refuse", "skip", "replace"),
        default="refuse",
        help="what to do about masks that exist already; skip: keep them, and segment only the "
        "other images (%(default)s)",
    )
    parsers.add_plane_options(parser)
    return parser


def _segment(given):
    """Segments the images; returns the exit status."""
    from spheroid_jax.images import find

    output = pathlib.Path(given.output)
    found = find.find(given.inputs, output)
    masks = {image.path: image.output(output, ".png") for image in found}
    there = _check_masks(masks, output, given.existing)
    todo = masks if given.existing == "replace" else _without(masks, there)
    choice = {name: getattr(given, name) for name in ("channel", "scene", "z", "t")}
    failed = _write_masks(given.model, todo, output, choice)
    stayed = f"; {len(masks) - len(todo)} were there already" if len(todo) < len(masks) else ""
    print(f"{len(todo) - failed} of {len(todo)} masks written to {output}{stayed}")
    return failures.SOME_FAILED if failed else 0


def _check_masks(masks, output, existing):
    """Returns the masks that exist already; raises if a mask would replace a user's file."""
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(f"{output}: not a folder; choose another --output")
    inputs = {path.resolve() for path in masks}
    for mask in masks.values():
        if mask.resolve() in inputs:
            raise FileExistsError(f"{mask} is an image; choose another --output")
    there = [mask for mask in masks.values() if mask.exists()]
    if there and existing == "refuse":
        more = f" and {len(there) - 1} more masks are" if len(there) > 1 else " is"
        raise FileExistsError(
            f"{there[0]}{more} there already; choose another --output, or --existing skip or "
            "--existing replace"
        )
    return there


def _without(masks, there):
    """Returns the dict from image to mask, without the masks that exist already."""
    there = set(there)
    return {path: mask for path, mask in masks.items() if mask not in there}


def _write_masks(model, masks, output, choice):
    """Segments images and writes their masks, with a progress bar on a terminal.

    Args:
      model: name of a packaged model, or a folder.
      masks: dict from the path of an image to the path of its mask.
      output: folder of the masks, for the message after Ctrl-C.
      choice: keyword arguments of `images.read` that choose a plane.

    Returns:
      The number of images that have failed.
    """
    import tqdm

    from spheroid_jax import images
    from spheroid_jax.inference import model_file, stream
    from spheroid_jax.runtime import cache, compilation

    compilation.keep_programs(cache.folder())
    loaded = model_file.load(model)
    failed = done = 0
    with tqdm.tqdm(
        total=len(masks),
        unit=" images",
        bar_format=parsers.BAR,
        dynamic_ncols=True,
        leave=False,
        disable=None,  # No bar if stderr is not a terminal.
    ) as bar:
        try:
            planes = stream.segment_stream(
                loaded, masks, read=lambda path: images.read(path, **choice).pixels
            )
            for result in planes:
                problem = result.error or _write(result, masks[result.source])
                if problem is not None:
                    failed += 1
                    with bar.external_write_mode(file=sys.stderr):
                        failures.complain(NAME, problem)
                done += 1
                bar.update()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted; {done - failed} of {len(masks)} masks are in {output}, "
                "--existing skip goes on from there"
            ) from None
    return failed


def _write(result, mask):
    """Writes one mask; returns a message if the mask cannot be written, else None."""
    from spheroid_jax import images
    from spheroid_jax.runtime import files

    try:
        with files.replacing(mask, "wb") as file:
            images.write_mask(file, result.segmentation.mask)
    except OSError as error:
        return f"{result.source}: no mask written: {failures.message(error)}"
    return None
