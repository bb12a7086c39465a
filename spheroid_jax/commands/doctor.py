"""The command `spheroid doctor`: checks the installation and segments a drawn image."""

import importlib.metadata
import os
import platform
import time
from typing import NamedTuple

import spheroid_jax
from spheroid_jax.commands import failures, parsers
from spheroid_jax.runtime import cache

NAME = "spheroid doctor"
CORE = ("jax", "jaxlib", "flax", "numpy", "scipy", "scikit-image", "pillow", "tifffile")
# The packages of each optional extra. Where several names are given, one of the packages is enough.
EXTRAS = {
    "train": (
        ("optax",),
        ("orbax-checkpoint",),
        ("absl-py",),
        ("chex",),
        ("ml-collections",),
        ("tensorboardX",),
        ("tensorflow-datasets",),
        ("importlib_resources",),
        ("tensorflow-cpu", "tensorflow"),
        ("matplotlib",),
    ),
    "formats": (("imagecodecs",),),
    "nd2": (("nd2",),),
    "czi": (("pylibCZIrw",),),
    "lif": (("liffile",),),
    "zarr": (("zarr",),),
    "bioio": (("bioio",),),
    "parquet": (("pyarrow",),),
    "plate": (("matplotlib",), ("openpyxl",)),
    "report": (("matplotlib",),),
}
# The packaged model's F-score on easy drawn images is above 0.97.
_LEAST_F_SCORE = 0.9


class Finding(NamedTuple):
    """The result of one check.

    Attributes:
      lines: lines to be printed below the heading.
      problems: one line per problem.
    """

    lines: list[str]
    problems: list[str]


def main(arguments=None):
    """Runs the command; returns the exit status."""
    _parser().parse_args(arguments)
    return failures.exit_status(NAME, _examine)


def _parser():
    return parsers.parser(
        NAME,
        "Checks the installation: versions, optional extras, devices, the cache folder, the "
        "packaged models; then segments a drawn image. Exits with 1 if something is wrong.",
        {
            "spheroid doctor": "prints the findings, and the problems at the end",
            "spheroid doctor > doctor.txt": "writes the findings to a file, for a bug report",
        },
    )


def _examine():
    """Makes all checks and prints their findings; returns the exit status."""
    problems = []
    for heading, check in CHECKS.items():
        found = _finding(check)
        print(heading, *(f"  {line}" for line in found.lines), "", sep="\n", flush=True)
        problems += [f"{heading}: {problem}" for problem in found.problems]
    if not problems:
        print("All is well.")
        return 0
    print(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}:")
    print(*(f"  {problem}" for problem in problems), sep="\n")
    return failures.SOME_FAILED


def _finding(check):
    """Makes one check; an exception becomes a problem, so that the other checks still run."""
    try:
        return check()
    except Exception as error:
        what = f"{type(error).__name__}: {failures.message(error)}"
        return Finding([f"failed: {what}"], [what])


def _versions():
    """Lists the versions of Python, of spheroid_jax and of the packages that it needs."""
    lines = [
        f"{'Python':14} {platform.python_version()} on {platform.platform()}",
        f"{'spheroid_jax':14} {spheroid_jax.__version__}",
    ]
    versions = {name: _version(name) for name in CORE}
    lines += [f"{name:14} {version or 'missing'}" for name, version in versions.items()]
    missing = [name for name, version in versions.items() if version is None]
    if not missing:
        return Finding(lines, [])
    return Finding(lines, [f"{', '.join(missing)} missing: pip install spheroid-jax"])


def _extras():
    """Lists the optional extras, and how to install the incomplete ones."""
    lines = []
    for extra, packages in EXTRAS.items():
        missing = [names[0] for names in packages if not any(map(_version, names))]
        lines.append(
            f'{extra:8} {", ".join(missing)} missing: pip install "spheroid-jax[{extra}]"'
            if missing
            else f"{extra:8} complete"
        )
    return Finding(lines, [])


def _devices():
    """Lists the devices that JAX computes on."""
    import jax

    kinds = [device.device_kind for device in jax.local_devices()]
    lines = [f"{kinds.count(kind)} x {kind}" for kind in dict.fromkeys(kinds)]
    return Finding([f"default backend: {jax.default_backend()}", *lines], [])


def _cache():
    """Checks that the cache folder can be written, and measures its size."""
    folder = cache.folder()
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return Finding(
            [str(folder)],
            [f"{folder} is not writable, so programs are compiled anew each time"],
        )
    state = f"writable, {size / 1e6:.1f} MB" if folder.is_dir() else "not made yet, can be made"
    return Finding([f"{folder}: {state}"], [])


def _models():
    """Loads each packaged model; loading compares the weights with their hash."""
    from spheroid_jax.inference import model_file, pretrained

    lines, problems = [], []
    for name in pretrained.names():
        try:
            model_file.load(name)
        except failures.USERS as error:
            problems.append(failures.message(error))
            lines.append(f"{name:14} cannot be used")
        else:
            lines.append(f"{name:14} weights as packaged (SHA-256 {model_file.digest(name)[:12]})")
    return Finding(lines, problems if lines else ["no model is packaged"])


def _drawn_image():
    """Segments a drawn image twice with the packaged model, and scores the mask."""
    from spheroid_jax.evaluation import metrics
    from spheroid_jax.inference import model_file, pretrained, segmentation
    from spheroid_jax.runtime import compilation
    from spheroid_jax.synthetic import spheroids

    compilation.keep_programs(cache.folder())
    model = model_file.load(pretrained.DEFAULT)
    image, truth = spheroids.make_image("easy", 0)
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        mask = segmentation.segment(model, image).mask
        seconds.append(time.perf_counter() - start)
    f_score = metrics.agreement(mask, truth).f_score
    lines = [
        f"{image.shape[1]} x {image.shape[0]} px with {pretrained.DEFAULT}: F-score {f_score:.3f}",
        f"first call {seconds[0]:.1f} s (compiles), second call {seconds[1]:.2f} s",
    ]
    if f_score >= _LEAST_F_SCORE:
        return Finding(lines, [])
    return Finding(lines, [f"F-score {f_score:.3f}, expected at least {_LEAST_F_SCORE}"])


def _version(package):
    """Returns the version of an installed package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


CHECKS = {
    "Versions": _versions,
    "Extras": _extras,
    "Devices": _devices,
    "Cache folder": _cache,
    "Packaged models": _models,
    "Drawn image": _drawn_image,
}
