"""The command `spheroid package`: adds a trained model to the package under a name."""

from spheroid_jax.commands import failures, parsers

NAME = "spheroid package"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _package, given)


def _package(given):
    """Packages the model, and prints its size and hash."""
    from spheroid_jax.training import package

    print(package.package(given.fold, given.name, dtype=given.dtype))


def _parser():
    parser = parsers.parser(
        NAME,
        "Packages the model of a trained fold under a name. `spheroid segment --model NAME` and "
        "spheroid_jax.load(NAME) then find the model.",
        {
            "spheroid package runs/adver/fold_2 my-lab": "packages the model of fold 2",
            "spheroid package runs/adver/fold_2 my-lab --dtype float32": "stores the weights "
            "without rounding, in twice the space",
        },
    )
    parser.add_argument("fold", metavar="FOLD", help="folder of a trained fold")
    parser.add_argument("name", metavar="NAME", help="lower-case words, joined by hyphens")
    parser.add_argument(
        "--dtype",
        choices=("float16", "float32"),
        default="float16",
        help="type of the stored weights (%(default)s)",
    )
    return parser
