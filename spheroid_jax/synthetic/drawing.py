"""What synthetic images are drawn with: random fields, shapes, marks.

Everything is in units of the frame (side 1, x to the right, y down, origin at
the upper left), so a scene is the same at every size in pixels. Fields are
(S, S) float32.
"""

import functools
import math

import numpy as np
from scipy import ndimage, sparse

TURN = 4096  # entries of a table over all angles
_SUBSAMPLES = 3  # a pixel averages this many samples of a field, each way
_SPLINE_POWER = 0.479  # sum of squares of the cubic B-spline's weights


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draws log-uniformly."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def rarely(rng: np.random.Generator, share: float, low: float, high: float) -> float:
    """Draws uniformly in a share of the images; 0 in the others."""
    value = rng.uniform(low, high)
    return value if rng.random() < share else 0.0


def choose(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """Draws a name by its share."""
    return str(rng.choice(list(shares), p=list(shares.values())))


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Gives x as a row and y as a column: the pixels' centres."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size
    return line[None, :], line[:, None]


@functools.lru_cache(maxsize=64)
def _basis(knots: int, size: int) -> sparse.csr_array:
    """Weights (size, knots + 3) of cubic B-splines, averaged over pixels.

    Sparse, as each pixel sees few knots: the products are small, and stay on
    one core whatever else the machine does.
    """
    fine = size * _SUBSAMPLES
    position = (np.arange(fine, dtype=np.float32) + 0.5) * (knots / fine)
    away = np.abs(position[:, None] - np.arange(-1, knots + 2, dtype=np.int16))
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.maximum(2 - away, 0) ** 3 / 6
    weights = np.where(away < 1, near, far)
    weights = weights.reshape(size, _SUBSAMPLES, -1).mean(axis=1)
    return sparse.csr_array(weights.astype(np.float32))


def field(rng: np.random.Generator, knots: int, size: int) -> np.ndarray:
    """Draws a smooth field of unit variance with `knots` knots a side."""
    values = rng.standard_normal((knots + 3, knots + 3), dtype=np.float32)
    basis = _basis(knots, size)
    return (basis @ (basis @ (values / _SPLINE_POWER)).T).T


def turn(rng: np.random.Generator, bumps: float) -> np.ndarray:
    """Draws smooth noise of unit variance over all angles, `bumps` a turn."""
    order = np.arange(TURN // 2 + 1)
    waves = rng.standard_normal((2, order.size)) * bell(order, bumps)
    waves[:, 0] = 0  # no mean
    noise = np.fft.irfft(waves[0] + 1j * waves[1])
    return (noise / noise.std()).astype(np.float32)


def polar(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gives the radius and the angle, the latter as index into a table."""
    angle = np.arctan2(y, x) * (TURN / math.tau)
    return np.sqrt(x**2 + y**2), angle.astype(np.int32) % TURN


def bell(x: np.ndarray, width: float) -> np.ndarray:
    """A Gaussian bump of height 1."""
    return np.exp(-((x / width) ** 2))


def stamp(image: np.ndarray, x: float, y: float, radius: float, dark: float, *, ring: bool) -> None:
    """Multiplies in a dark spot or, as a ring, a cell with a bright middle."""
    size = image.shape[0]
    reach = 2.5 * radius + 1 / size
    top, left = (max(int((c - reach) * size), 0) for c in (y, x))
    bottom, right = (max(int((c + reach) * size) + 1, 0) for c in (y, x))
    window = np.s_[top:bottom, left:right]
    across, down = grid(size)
    dx, dy = across[:, window[1]] - x, down[window[0]] - y
    away = np.sqrt(dx**2 + dy**2) / max(radius, 0.5 / size)
    spot = bell(away, 1)
    if ring:
        spot = bell(away - 1, 0.4) - 0.8 * bell(away, 0.5)
    image[window] *= 1 - dark * spot


def fibre(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draws the transmission of one thin curved fibre."""
    x, y = grid(size)
    mid_x, mid_y = rng.random(2).tolist()
    angle = rng.uniform(0, math.tau)
    cos, sin = math.cos(angle), math.sin(angle)
    along = (x - mid_x) * cos + (y - mid_y) * sin
    across = (y - mid_y) * cos - (x - mid_x) * sin
    across -= rng.uniform(0.002, 0.03) * np.sin(along * rng.uniform(5, 25))
    thread = bell(along**2, rng.uniform(0.05, 0.2) ** 2)
    thread *= bell(across, rng.uniform(0.0015, 0.004))
    return 1 - rng.uniform(0.1, 0.4) * thread


def grain(rng: np.random.Generator, knots: int, size: int) -> np.ndarray:
    """Draws granularity: cells with dark borders, in clumps, over haze."""
    cells = 0.8 * np.abs(field(rng, knots, size)) - 0.64
    cells += 0.5 * field(rng, 3 * knots // 2, size)
    clumps = 0.5 * field(rng, knots // 2, size)
    haze = 0.35 * field(rng, knots // 5, size)
    return np.minimum(cells + clumps + haze, 1.6)  # no light is made inside


def solid(inside: np.ndarray) -> np.ndarray:
    """Keeps the largest 4-connected component and fills its holes."""
    labels, _ = ndimage.label(inside)
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    gaps, count = ndimage.label(~largest)
    open_gap = np.zeros(count + 1, bool)
    for border in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]):
        open_gap[border] = True
    open_gap[0] = False  # the component itself
    return ~open_gap[gaps]
