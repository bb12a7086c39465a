"""Makes ground truth for unlabelled images, semi-automatically.

    spheroid truth propose plate/*.tif --output=proposals

writes masks, contact sheets and proposals/proposals.csv. A person looks at the
sheets and writes accept or reject into the column `decision`; another method's
name in the column `method` has that method's mask taken instead, and the word
manual says that the file in proposals/masks was corrected by hand. Then

    spheroid truth assemble proposals --root=DIR --dataset=easy

copies what was accepted into a data root. Either command can be repeated: no
decision is lost, and nothing is replaced.
"""

import argparse
import pathlib
import sys

from spheroid_jax.truth import assemble, propose


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        return given.run(given)
    except (OSError, ValueError) as error:
        _complain(error)
        return 2


def _parser():
    parser = argparse.ArgumentParser(
        prog="spheroid truth", description="Makes ground truth for unlabelled images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("propose", help="propose a mask an image")
    command.add_argument("images", nargs="+", help="image files, or folders")
    command.add_argument("--output", default="proposals", help="folder to write (%(default)s)")
    command.set_defaults(run=_propose)
    command = commands.add_parser("assemble", help="make a data root of them")
    command.add_argument("proposals", help="the folder that propose wrote")
    command.add_argument("--root", required=True, help="the data root")
    command.add_argument("--dataset", required=True, help="a folder's name in it")
    command.set_defaults(run=_assemble)
    return parser


def _propose(given):
    paths = propose.find_images(given.images, given.output)
    failed = _each(paths, propose.add, given.output)
    problems = propose.draw_sheets(given.output)
    for problem in problems:
        _complain(problem)
    done = len(paths) - failed
    print(f"{done} of {len(paths)} images have a proposal in {given.output}")
    return 1 if failed or problems else 0


def _assemble(given):
    folder = pathlib.Path(given.root) / given.dataset
    plan = assemble.plan(given.proposals, folder)
    failed = _each(plan.accepted, assemble.add, given.proposals, folder)
    print(
        f"{len(plan.accepted) - failed} of {len(plan.accepted)} accepted masks "
        f"added to {folder} ({len(plan.present)} already there, "
        f"{len(plan.rejected)} rejected, {len(plan.undecided)} undecided)"
    )
    return 1 if failed else 0


def _each(items, do, *folders):
    """Does all that can be done; returns how many could not."""
    failed = 0
    for item in items:
        try:
            do(item, *folders)
        except (OSError, ValueError) as error:
            failed += 1
            _complain(error)
    return failed


def _complain(problems):
    for line in str(problems).splitlines():
        print(f"spheroid truth: {line}", file=sys.stderr)
