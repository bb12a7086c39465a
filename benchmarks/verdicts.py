"""Calibration and evaluation of a model's verdicts and error bars.

    python -m benchmarks.verdicts --calibrate      writes verdict.json beside the packaged model
    python -m benchmarks.verdicts                  tables on drawn images of other seeds
    python -m benchmarks.verdicts --data DIR       and on real images: folders DIR/NAME/images

Presence is a logistic regression on eight scores, fitted to drawn images: empty wells of nine
kinds, and bodies of three. The thresholds of the other verdicts are stated below, each with what it
was chosen by. The factors of the error bars are split conformal quantiles over drawn bodies.
"""

import argparse
import collections
import json
import pathlib

import numpy as np
from scipy import ndimage, optimize

import spheroid_jax as sj
from spheroid_jax import images
from spheroid_jax.inference import predict, pretrained
from spheroid_jax.lab import bodies, error_bars, evidence, rules, shape, verdict
from spheroid_jax.runtime import cache, compilation, files
from spheroid_jax.synthetic import failures, spheroids, varied

MODEL = rules.DEFAULT_MODEL
# Seeds of the drawn images that calibrate and of those that measure.
CALIBRATION, MEASURING = 101, 202
SHAPES = ((240, 320), (480, 480), (360, 480), (512, 512))
THRESHOLDS = {
    "presence": 0.0,
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
FLOORS = {"area_floor": 0.01, "circularity_floor": 0.01}
_PENALTY = 3e-4
# A drawn image of the kind varied is as unlike a lab's images as possible, so it counts less.
_VARIED_WEIGHT = 0.3


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


def evidence_of(params, image):
    """Scores of one image."""
    prepared = predict.prepare(params, image)
    on_grid = np.asarray(predict.grid_probability(params, prepared.grid[np.newaxis]))[0]
    return evidence.collect(prepared.box.crop(prepared.grid), prepared.box.crop(on_grid))


def calibrate(params):
    """Fits the rules of a model to drawn images; returns them."""
    found = [(evidence_of(params, image), 0.0, 1.0) for _, image in empty_images(CALIBRATION, 60)]
    drawn = list(body_images(CALIBRATION, 120))
    for kind, image, _ in drawn:
        found.append((evidence_of(params, image), 1.0, _VARIED_WEIGHT if kind == "varied" else 1.0))
    found = [each for each in found if each[0].share]
    raw = [verdict.raw_scores(each[0]) for each in found]
    values = np.array([[row[name] for name in verdict.SCORES] for row in raw])
    mean, sd = values.mean(axis=0), values.std(axis=0)
    scores = np.clip((values - mean) / sd, -verdict.CLIPPED, verdict.CLIPPED)
    truth, weights = (np.array([each[n] for each in found]) for n in (1, 2))
    for kind in (0, 1):
        weights[truth == kind] /= 2 * weights[truth == kind].sum()
    intercept, *slopes = _fit(scores, truth, weights)
    alike = scores[truth == 1]
    centre = alike.mean(axis=0)
    precision = np.linalg.inv(np.cov(alike.T))
    away = np.sqrt(np.einsum("ni,ij,nj->n", alike - centre, precision, alike - centre))
    names = verdict.SCORES
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
        probability = predict.segment(params, image).probability
        unit = dict.fromkeys(("area_factor", "circularity_factor"), 1.0) | FLOORS
        full = images.Enlarged(probability, probability.shape)
        examined = bodies.examine(images.measured(image), full, _any_rules(unit))
        found = examined.bodies
        body = _largest(truth)
        if not found or not np.count_nonzero(found[0].mask & body):
            continue
        true, measured = shape.measure_shape(body), found[0].shape
        doubt = error_bars.doubts(examined.eight_bit, found[0].cutout, measured)
        yield (
            (doubt.area, np.log(true.area / measured.area)),
            (doubt.circularity, true.circularity - measured.circularity),
        )


def _any_rules(factors):
    return rules.Rules(0.0, {}, {}, {}, [], [], {}, factors)


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
    """Prints one row per kind: how many images got which verdict."""
    counts = collections.defaultdict(collections.Counter)
    for kind, image in images_by_kind:
        counts[kind][verdict.judge(evidence_of(params, image), model_rules).verdict] += 1
    for kind, found in counts.items():
        row = ", ".join(f"{name} {count}" for name, count in found.most_common())
        print(f"{kind:32} {found.total():4}  {row}")


def _real_images(root):
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in (".png", ".jpg", ".tif", ".tiff") and "masks" not in path.parts:
            folder = path.parent.parent if path.parent.name == "images" else path.parent
            yield folder.relative_to(root).as_posix() or folder.name, sj.read_image(path)


def main():
    """Calibrates, or prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR")
    given = parser.parse_args()
    compilation.keep_programs(cache.folder())
    params = sj.load(MODEL)
    if given.calibrate:
        found = calibrate(params)
        rounded = json.loads(
            json.dumps(found._asdict()), parse_float=lambda x: float(f"{float(x):.6g}")
        )
        files.write_json(pretrained.folder(MODEL) / rules.FILE, rounded)
    found, _ = rules.load(MODEL)
    print("Drawn images of other seeds:")
    confusion(params, found, empty_images(MEASURING, 40))
    drawn = list(body_images(MEASURING, 80))
    confusion(params, found, ((kind, image) for kind, image, _ in drawn))
    confusion(params, found, spoilt_images(MEASURING, 20))
    shares, count = coverage(params, [each[1:] for each in drawn], found.error_bars)
    print(
        f"coverage of the error bars: area {shares[0]:.3f}, circularity {shares[1]:.3f} ({count})"
    )
    if given.data:
        print(f"\nImages of {given.data.name}:")
        confusion(params, found, _real_images(given.data))


if __name__ == "__main__":
    main()
