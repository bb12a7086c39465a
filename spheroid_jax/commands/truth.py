"""The command `spheroid truth`: makes ground truth for images without masks, semi-automatically.

    spheroid truth propose plate --output proposals

writes masks, contact sheets and the table proposals/proposals.csv. A person looks at the sheets and
writes accept or reject into the column `decision`. The column `method` names the method whose mask
is taken, and can be changed. The method manual takes the file in proposals/masks, which the person
has corrected.

    spheroid truth assemble proposals --root DIR --dataset easy

copies the accepted images and masks into a data root. Both commands can be repeated; they keep all
decisions and replace no file.
"""

import pathlib

from spheroid_jax.commands import failures, parsers

NAME = "spheroid truth"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, given.run, given)


def _parser():
    parser = parsers.parser(
        NAME,
        "Makes ground truth for images without masks: `propose` writes a mask for each image, a "
        "person accepts or rejects the masks in proposals.csv, and `assemble` makes a dataset of "
        "the accepted masks.",
        {
            "spheroid truth propose plate": "writes masks, contact sheets and a table to proposals",
            "spheroid truth assemble proposals --root DIR --dataset easy": "copies the accepted "
            "images and masks into DIR/easy",
        },
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("propose", help="propose a mask for each image")
    command.add_argument("images", nargs="+", metavar="IMAGE", help="image file, or folder")
    command.add_argument(
        "--output", default="proposals", metavar="FOLDER", help="folder to write (%(default)s)"
    )
    command.set_defaults(run=_propose)
    command = commands.add_parser("assemble", help="make a dataset of the accepted proposals")
    command.add_argument("proposals", metavar="FOLDER", help="folder that propose wrote")
    command.add_argument("--root", required=True, metavar="DIR", help="data root")
    command.add_argument("--dataset", required=True, metavar="NAME", help="folder in the data root")
    command.set_defaults(run=_assemble)
    return parser


def _propose(given):
    """Proposes masks and draws the sheets; returns the exit status."""
    from spheroid_jax.truth import propose

    paths = propose.find_images(given.images, given.output)
    failed = _each(paths, propose.add, given.output)
    problems = propose.draw_sheets(given.output)
    for problem in problems:
        failures.complain(NAME, problem)
    done = len(paths) - failed
    print(f"{done} of {len(paths)} images have a proposal in {given.output}")
    return failures.SOME_FAILED if failed or problems else 0


def _assemble(given):
    """Copies accepted proposals into the data root; returns the exit status."""
    from spheroid_jax.truth import assemble

    folder = pathlib.Path(given.root) / given.dataset
    plan = assemble.plan(given.proposals, folder)
    failed = _each(plan.accepted, assemble.add, given.proposals, folder)
    print(
        f"{len(plan.accepted) - failed} of {len(plan.accepted)} accepted masks "
        f"added to {folder} ({len(plan.present)} already there, "
        f"{len(plan.rejected)} rejected, {len(plan.undecided)} undecided)"
    )
    return failures.SOME_FAILED if failed else 0


def _each(items, do, *folders):
    """Calls `do` for each item and reports errors; returns the number of items that failed."""
    failed = 0
    for item in items:
        try:
            do(item, *folders)
        except failures.USERS as error:
            failed += 1
            failures.complain(NAME, error)
    return failed
