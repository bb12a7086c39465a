"""Calibration and evaluation of a model's verdicts and error bars.

    python -m benchmarks.verdicts --calibrate --data DIR    writes verdict.json beside the model
    python -m benchmarks.verdicts                           tables on drawn images of other seeds
    python -m benchmarks.verdicts --data DIR                and on real images

DIR has folders with pictures at any depth; beside a folder named images, one named masks has the
true masks. Every second image of DIR/dataset1 calibrates and is in no table.

Presence is a logistic regression on seven scores, for a model with markers on eight, fitted to
drawn images (empty wells of ten kinds and bodies of fourteen), and to the images of dataset1. The
thresholds of the other verdicts are stated below, each with what it was chosen by. The factors of
the error bars are split conformal quantiles over drawn bodies.
"""

import argparse
import collections
import dataclasses
import json
import pathlib

import numpy as np
from scipy import ndimage, optimize

import spheroid_jax as sj
from benchmarks import other_drawings
from spheroid_jax import images
from spheroid_jax.inference import (
    evidence,
    model_file,
    objects,
    postprocess,
    predict,
    presence,
    pretrained,
    segmentation,
)
from spheroid_jax.lab import error_bars, rules, shape, verdict
from spheroid_jax.runtime import cache, compilation, files
from spheroid_jax.synthetic import failures, scenes, spheroids, varied

# Seeds of the drawn images that calibrate and of those that measure.
CALIBRATION, MEASURING = 101, 202
# Training has the scenes from 3 million on.
_SEEDS_APART = 1_000_000
SCENE_SIZES = (256, 384, 512)
SHAPES = ((240, 320), (480, 480), (360, 480), (512, 512))
THRESHOLDS = {
    # Log odds. Of the empty wells that calibrate 2 % are above, and of the bodies all but some of
    # the kind varied and some strongly blurred ones; the margin holds 4 % and 7 %.
    "presence": 0.0,
    "presence_margin": 1.2,
    # Marks; frames of many small bodies have 7 to 84, empty wells with debris 4 on average.
    "crowd": 7,
    # Gray; 0.14 at most in drawn empty wells.
    "dome": 0.15,
    # Single bodies are above 0.95, two touching discs below 0.6.
    "neck": 0.65,
    # Grid pixels; 95 % of bodies in focus are below 2.5, drawn blurred ones above 3.
    "blur": 2.9,
    # Bodies of ordinary images are above 25, drawn faint ones below 9.
    "signal_to_noise": 14.0,
    # Share of the surroundings.
    "specks": 0.009,
    # Share of the outline.
    "border": 0.01,
    "solidity": 0.75,
    "ragged_doubt": 0.035,
}
COVERAGE = 0.9
FLOORS = {"area_floor": 0.02, "circularity_floor": 0.04}
_PENALTY = 1e-3
# Blurred and faint bodies count less than others, and the few real ones more.
_WEIGHTS = collections.defaultdict(lambda: 1.0, spoilt=0.6, dataset1=2.0)


def empty_images(seed, count):
    """Yields kind and image of drawn empty wells, `count` of each kind."""
    for kind in failures.EMPTY:
        for n in range(count):
            yield kind, failures.make_empty(kind, n, seed=seed, shape=SHAPES[n % len(SHAPES)])


def body_images(seed, count):
    """Yields kind, image and mask of drawn bodies, `count` of each kind."""
    for n in range(count):
        for flavour in spheroids.FLAVOURS:
            yield flavour, *spheroids.make_image(flavour, n, seed=seed, size=320)
        yield "varied", *varied.make_image(n, seed=seed, size=320)


def scene_images(seed, count, *, empty):
    """Yields kind and image of drawn scenes, `count` of each kind with bodies, or without."""
    for kind in scenes.KINDS:
        if (kind == "empty") == empty:
            for n in range(count):
                scene = scenes.draw_scene(seed * _SEEDS_APART + n, SCENE_SIZES[n % 3], kind)
                # The frame may have cut off the only body.
                if empty or scene.labels.any():
                    yield f"scene: {kind}", scene.image


def spoilt_images(seed, count):
    """Yields kind and image of drawn bodies that are blurred or faint."""
    for n in range(count):
        rng = np.random.default_rng([seed, n])
        for flavour in spheroids.FLAVOURS:
            image = spheroids.make_image(flavour, n, seed=seed, size=320)[0].astype(np.float32)
            blurred = ndimage.gaussian_filter(image, rng.uniform(6, 11))
            faint = 140 + (image - image.mean()) * rng.uniform(0.04, 0.08)
            noise = rng.standard_normal(image.shape)
            yield "out of focus", (blurred + 1.5 * noise).clip(0, 255).astype(np.uint8)
            yield "low contrast", (faint + 2.5 * noise).clip(0, 255).astype(np.uint8)


def other_images(kinds, count):
    """Yields kind and image of drawings that the generator has no part in, `count` of each kind."""
    for kind in kinds:
        for n in range(count):
            yield f"other: {kind}", other_drawings.draw(kind, n)


def calibrating(root):
    """Lists the images of dataset1 that calibrate: every second one."""
    return sorted((root / "dataset1" / "images").iterdir())[::2]


def evidence_of(params, image):
    """Scores of one image."""
    prepared = predict.prepare(params, image)
    maps = np.asarray(predict.grid_maps(params, prepared.grid[np.newaxis]))[0]
    return evidence.of_image(params, image, prepared, maps)[0]


def calibrate(params, root):
    """Fits the rules of a model to drawn images and to half of dataset1; returns them."""
    params = params.replace(presence=None)  # what an earlier calibration says must not count
    drawn = list(body_images(CALIBRATION, 120))
    with_body = [(kind, image) for kind, image, _ in drawn]
    with_body += [("spoilt", image) for _, image in spoilt_images(CALIBRATION, 20)]
    with_body += [("dataset1", sj.read_image(path)) for path in calibrating(root)]
    without = list(empty_images(CALIBRATION, 60))
    if predict.has_markers(params):
        with_body += scene_images(CALIBRATION, 25, empty=False)
        without += scene_images(CALIBRATION, 120, empty=True)
    found = [(evidence_of(params, image), 0.0, 1.0) for _, image in without]
    for kind, image in with_body:
        found.append((evidence_of(params, image), 1.0, _WEIGHTS[kind]))
    found = [each for each in found if each[0].bodies]
    raw = [presence.raw(dataclasses.asdict(each[0])) for each in found]
    names = [name for name in presence.SCORES if predict.has_markers(params) or name != "disbelief"]
    values = np.array([[row[name] for name in names] for row in raw])
    # What could not be measured has the mean, as in `presence.standardised`.
    mean, sd = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    scores = np.clip(np.nan_to_num((values - mean) / sd), -presence.CLIPPED, presence.CLIPPED)
    truth, weights = (np.array([each[n] for each in found]) for n in (1, 2))
    for kind in (0, 1):
        weights[truth == kind] /= 2 * weights[truth == kind].sum()
    intercept, *slopes = _fit(scores, truth, weights)
    alike = scores[truth == 1]
    centre = alike.mean(axis=0)
    precision = np.linalg.inv(np.cov(alike.T))
    away = np.sqrt(np.einsum("ni,ij,nj->n", alike - centre, precision, alike - centre))
    return rules.Rules(
        intercept=intercept,
        weights=dict(zip(names, slopes, strict=True)),
        mean=dict(zip(names, mean, strict=True)),
        sd=dict(zip(names, sd, strict=True)),
        precision=precision.tolist(),
        centre=centre.tolist(),
        thresholds=THRESHOLDS | {"distance": float(np.quantile(away, 0.99))},
        error_bars=FLOORS | _factors(params, [each[1:] for each in drawn]),
    )


def _fit(scores, truth, weights):
    """Fits a logistic regression with a small penalty; returns intercept and slopes."""
    design = np.column_stack([np.ones(len(scores)), scores])
    sign = 2 * truth - 1

    def loss(slopes):
        odds = sign * (design @ slopes)
        wrong = 1 / (1 + np.exp(odds))
        gradient = -design.T @ (weights * wrong * sign)
        penalty = np.concatenate([[0], slopes[1:]])
        return (
            weights @ np.logaddexp(0, -odds) + _PENALTY * penalty @ penalty,
            gradient + 2 * _PENALTY * penalty,
        )

    return optimize.minimize(
        loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B"
    ).x.tolist()


def _errors(params, pairs):
    """Yields doubt and error of the area's logarithm and of the circularity, per body found."""
    for image, truth in pairs:
        mask, probability = segmentation.segment(params, image)
        body = _largest(truth)
        if np.count_nonzero(mask & body):
            true, measured = shape.measure_shape(body), shape.measure_shape(mask)
            levels = postprocess.eight_bit(probability)
            doubt = error_bars.doubts(levels, objects.cut(mask), measured)
            yield (
                (doubt.area, np.log(true.area / measured.area)),
                (doubt.circularity, true.circularity - measured.circularity),
            )


def _largest(truth):
    labels, count = ndimage.label(truth, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=2)[1:]
    return labels == 1 + sizes.argmax()


def _factors(params, pairs):
    """Split conformal factors: error over doubt is below them in `COVERAGE` of the bodies."""
    errors = np.array(list(_errors(params, pairs)))
    rank = min(np.ceil((len(errors) + 1) * COVERAGE) / len(errors), 1.0)
    result = {}
    for n, name in enumerate(("area", "circularity")):
        ratio = np.abs(errors[:, n, 1]) / (errors[:, n, 0] + FLOORS[f"{name}_floor"])
        result[f"{name}_factor"] = float(np.quantile(ratio, rank))
    return result


def coverage(params, pairs, factors):
    """Share of bodies whose true area and circularity lie in their error bars, and the count."""
    errors = np.array(list(_errors(params, pairs)))
    inside = [
        np.abs(errors[:, n, 1])
        <= factors[f"{name}_factor"] * (errors[:, n, 0] + factors[f"{name}_floor"])
        for n, name in enumerate(("area", "circularity"))
    ]
    return [float(each.mean()) for each in inside], len(errors)


def confusion(params, model_rules, images_by_kind):
    """Prints one row per kind: how many images got which verdict, * where none was measured."""
    counts = collections.defaultdict(collections.Counter)
    for kind, image in images_by_kind:
        try:
            found = verdict.judge(evidence_of(params, image), model_rules)
            counts[kind][found.verdict + "*" * (not found.measured)] += 1
        except images.ImageError:  # As of an image of one gray.
            counts[kind]["unreadable*"] += 1
    for kind, found in counts.items():
        row = ", ".join(f"{name} {count}" for name, count in found.most_common())
        print(f"{kind:32} {found.total():4}  {row}", flush=True)


def _pictures(root):
    """Lists folder and path of the pictures below a folder that didn't calibrate."""
    calibrated = set(calibrating(root)) if (root / "dataset1").is_dir() else set()
    kinds = (".png", ".jpg", ".tif", ".tiff")
    for path in sorted(root.rglob("*")):
        truth = {"masks", "labels"} & set(path.parts)
        if path.suffix.lower() in kinds and path not in calibrated and not truth:
            yield (path.parent.parent if path.parent.name == "images" else path.parent), path


def _pairs(root):
    """Yields folder, image and mask of the pictures with masks, but not with labels of several."""
    for folder, path in _pictures(root):
        mask = next((folder / "masks").glob(f"{path.stem}.*"), None)
        if mask and not (folder / "labels").is_dir():
            truth = images.to_gray(sj.read_image(mask)) > 0
            yield folder.relative_to(root).as_posix(), sj.read_image(path), truth


def main():
    """Calibrates, or prints the tables."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--model", default=pretrained.DEFAULT, help="(%(default)s)")
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR")
    given = parser.parse_args()
    if given.calibrate and not given.data:
        parser.error("--calibrate needs --data")
    compilation.keep_programs(cache.folder())
    params = sj.load(given.model)
    if given.calibrate:
        found = calibrate(params, given.data)
        rounded = json.loads(
            json.dumps(found._asdict()), parse_float=lambda x: float(f"{float(x):.6g}")
        )
        files.write_json(model_file.folders(given.model)[0] / rules.FILE, rounded)
        return
    found, _ = rules.load(given.model)
    print("Drawn images of other seeds (* not measured):")
    confusion(params, found, empty_images(MEASURING, 40))
    drawn = list(body_images(MEASURING, 80))
    confusion(params, found, ((kind, image) for kind, image, _ in drawn))
    confusion(params, found, spoilt_images(MEASURING, 20))
    confusion(params, found, scene_images(MEASURING, 40, empty=True))
    confusion(params, found, scene_images(MEASURING, 20, empty=False))
    confusion(params, found, other_images(other_drawings.EMPTY, 20))
    confusion(params, found, other_images(other_drawings.BODIES, 20))
    if given.data:
        print(f"\nImages of {given.data.name}:")
        named = ((folder.relative_to(given.data), path) for folder, path in _pictures(given.data))
        confusion(params, found, ((name.as_posix(), sj.read_image(path)) for name, path in named))
    print("\nShare of bodies whose true area and circularity lie in their error bars:")
    pairs = [("drawn", image, truth) for _, image, truth in drawn]
    pairs += _pairs(given.data) if given.data else []
    for name in dict.fromkeys(each[0] for each in pairs):
        of_name = [each[1:] for each in pairs if each[0] == name]
        shares, count = coverage(params, of_name, found.error_bars)
        print(f"{name:32} {count:4}  {shares[0]:.2f} {shares[1]:.2f}")


if __name__ == "__main__":
    main()
