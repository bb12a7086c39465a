"""The command `spheroid segment`: writes a mask for each image.

    spheroid segment plate --output masks

writes masks/NAME.png (0 and 255) for every image plate/NAME.tif, in the size of the image. Files
are found and read as by `spheroid measure`. If an image cannot be read, or its mask cannot be
written, the command reports the image and goes on.
"""

import contextlib
import pathlib

from spheroid_jax.commands import failures, parsers, progress, said
from spheroid_jax.runtime import interrupts

NAME = "spheroid segment"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _segment, given)


def _parser():
    parser = parsers.parser(
        NAME,
        "Writes a mask for each image: a PNG file of the image's size, 255 in the largest body and "
        "0 elsewhere. Folders are searched for images with all their subfolders, and the output "
        "folder gets the same subfolders.",
        {
            "spheroid segment plate": "writes masks/A01.png for plate/A01.tif, and so on",
            'spheroid segment "day*/*.tif" --model runs/mine --output results': "writes "
            "results/day1/A01.png for day1/A01.tif, with a model of your own",
        },
    )
    parsers.add_images(parser, output="masks")
    parser.add_argument(
        "--existing",
        choices=("refuse", "skip", "replace"),
        default="refuse",
        help="what to do about masks that exist already; skip: keep them, and segment only the "
        "other images (%(default)s)",
    )
    parsers.add_planes(parser)
    return parser


def _segment(given):
    """Segments the images; returns the exit status."""
    with interrupts.remembered() as check_interrupt:
        with interrupts.ending(f"{NAME}: interrupted before the first image"):
            from spheroid_jax.inference import stream  # noqa: F401  (takes the longest)
            from spheroid_jax.lab import plan

        output = pathlib.Path(given.output)
        if output.exists() and not output.is_dir():
            raise NotADirectoryError(f"{output}: not a folder; choose another --output")
        planned = plan.make_plan(
            given.inputs,
            output,
            parsers.choice(given),
            include=given.include,
            exclude=given.exclude,
            wells=False,
        )
        masks = {item: output / f"{item.name}.png" for item in planned.items}
        there = _check_masks(masks, given.existing)
        todo = masks if given.existing == "replace" else _without(masks, there)
        wanted = len(todo) + len(planned.failed)
        with progress.Bar(NAME) as bar:
            for number, failed in enumerate(planned.failed, start=1):
                bar.show(number, wanted, f"{failed.found.path}: {failed.reason}")
            written, refused, damaged = _write_masks(given, todo, output, bar, check_interrupt)
    stayed = f"; {len(masks) - len(todo)} were there already" if len(todo) < len(masks) else ""
    print(f"{len(written)} of {wanted} masks written to {output}{stayed}")
    for line in (said.left_out(planned.left_out), said.refused(refused), said.damaged(damaged)):
        if line:
            print(line)
    return failures.SOME_FAILED if len(written) < wanted else 0


def _check_masks(masks, existing):
    """Returns the masks that exist already; raises if a mask would replace a user's file."""
    inputs = {item.found.path.resolve() for item in masks}
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
    """Returns the dict from item to mask, without the masks that exist already."""
    there = set(there)
    return {item: mask for item, mask in masks.items() if mask not in there}


def _write_masks(given, masks, output, bar, check_interrupt):
    """Segments images and writes their masks, with a progress bar on a terminal.

    Args:
      given: the parsed arguments.
      masks: dict from a `plan.Item` to the path of its mask.
      output: folder of the masks, for the message after Ctrl-C.
      bar: `progress.Bar`.
      check_interrupt: function that raises `KeyboardInterrupt` after Ctrl-C.

    Returns:
      The items whose mask was written, those of them that `spheroid measure` refuses, and what is
      wrong with the pixels by item.
    """
    from spheroid_jax.inference import model_file, stream
    from spheroid_jax.lab import plan, rules
    from spheroid_jax.runtime import cache, compilation

    before = bar.done
    bar.show(before, before + len(masks))
    compilation.keep_programs(cache.folder())
    loaded = model_file.load(given.model)
    model_rules, _ = rules.load(given.model)
    choice = parsers.choice(given)

    def finish(item, image, prepared, maps):
        del item
        return *_finish(loaded, image, prepared, maps, model_rules), image.doubts

    written, refused, damaged = [], [], {}
    try:
        results = stream.finish_stream(
            loaded,
            masks,
            read=lambda item: plan.read_picture(item, choice),
            finish=finish,
            threads=given.jobs,
            cost=lambda item: item.memory,
        )
        with contextlib.closing(results):
            for done, result in enumerate(results, start=before + 1):
                item = result.source
                mask, is_refused, damage = result.value or (None, False, ())
                problem = result.error or _write(item, masks[item], mask)
                if problem is None:
                    written.append(item)
                    refused += [item] * is_refused
                    damaged |= {item: damage} if damage else {}
                bar.show(done, before + len(masks), problem)
                check_interrupt()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted; {len(written)} of {len(masks)} masks are in {output}, "
            "--existing skip goes on from there"
        ) from None
    return written, refused, damaged


def _finish(loaded, image, prepared, maps, model_rules):
    """Returns the mask of an image, and whether `spheroid measure` refuses the image."""
    from spheroid_jax.inference import evidence, segmentation
    from spheroid_jax.lab import verdict

    scores, found = evidence.of_image(loaded, image.pixels, prepared, maps)
    judged = verdict.judge(scores, model_rules)
    if found is None:
        return segmentation.finish(loaded, image.pixels, prepared, maps).mask, not judged.measured
    return segmentation.kept(loaded, prepared, maps, found).mask(), not judged.measured


def _write(item, path, mask):
    """Writes one mask; returns a message if the mask cannot be written, else None."""
    from spheroid_jax import images
    from spheroid_jax.runtime import files

    try:
        with files.replacing(path, "wb") as file:
            images.write_mask(file, mask)
    except OSError as error:
        return f"{item.found.path}: no mask written: {failures.message(error)}"
    return None
