"""Random numbers, smooth fields and small shapes: the parts of drawn images.

Lengths are in units of the frame (side 1, x to the right, y down, origin at the upper left), so
that a scene is the same at every size in pixels; angles are in radians. A picture is a square of
light or transmission: float, indexed [row, column], 1 where nothing absorbs.

A function that draws random numbers takes the generator first, then the size in pixels.
"""

import functools
import math

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from scipy import ndimage, sparse

Rng = np.random.Generator
Picture = Float[np.ndarray, "S S"]
Mask = Bool[np.ndarray, "S S"]
# One value per angle, for `TURN` angles from 0 to 2 pi.
ByAngle = Float[np.ndarray, "4096"]
TURN = 4096

_SUBSAMPLES = 3  # samples of a field per pixel and axis; the pixel is their mean
_SPLINE_POWER = 0.479  # mean over positions of the sum of a cubic B-spline's squared weights


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Draws log-uniformly between two positive numbers."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def sometimes(rng: Rng, share: float, low: float, high: float) -> float:
    """Draws uniformly in a share of the cases, and returns 0 in all others."""
    value = rng.uniform(low, high)
    return value if rng.random() < share else 0.0


def choose(rng: Rng, shares: dict[str, float]) -> str:
    """Draws a name by its share; the shares sum to 1."""
    return str(rng.choice(list(shares), p=list(shares.values())))


def grid(size: int) -> tuple[Float32[np.ndarray, "1 S"], Float32[np.ndarray, "S 1"]]:
    """Returns the coordinates of the pixels' centres: x as a row, y as a column."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size
    return line[None, :], line[:, None]


def polar(
    x: Float[np.ndarray, "#H #W"], y: Float[np.ndarray, "#H #W"]
) -> tuple[Float[np.ndarray, "H W"], Int[np.ndarray, "H W"]]:
    """Returns the distance from the origin, and the angle as an index into `ByAngle`."""
    angle = np.arctan2(y, x) * (TURN / math.tau)
    return np.sqrt(x**2 + y**2), angle.astype(np.int32) % TURN


def bell(x: np.ndarray, width: float) -> np.ndarray:
    """Returns a Gaussian bump of height 1: exp(-(x / width)^2)."""
    return np.exp(-((x / width) ** 2))


def field(rng: Rng, size: int, knots: int) -> Picture:
    """Draws a smooth field with mean 0 and variance 1.

    Args:
      rng: generator.
      size: S, in pixels.
      knots: number of spline knots along a side; the more, the finer the field.
    """
    values = rng.standard_normal((knots + 3, knots + 3), dtype=np.float32)
    basis = _basis(size, knots)
    return (basis @ (basis @ (values / _SPLINE_POWER)).T).T


@functools.lru_cache(maxsize=512)  # at most 30 MB for pictures of 1024 px
def _basis(size: int, knots: int) -> sparse.csr_array:
    """Returns the weights (size, knots + 3) of cubic B-splines, averaged over each pixel.

    Each pixel depends on few knots, so a sparse array makes the products cheap, and SciPy computes
    sparse products on one core.
    """
    fine = size * _SUBSAMPLES
    position = (np.arange(fine, dtype=np.float32) + 0.5) * (knots / fine)
    away = np.abs(position[:, None] - np.arange(-1, knots + 2, dtype=np.int16))
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.maximum(2 - away, 0) ** 3 / 6
    weights = np.where(away < 1, near, far)
    weights = weights.reshape(size, _SUBSAMPLES, -1).mean(axis=1)
    return sparse.csr_array(weights.astype(np.float32))


def angular_noise(rng: Rng, bumps: float) -> ByAngle:
    """Draws smooth noise over all angles, with mean 0, variance 1 and `bumps` bumps per turn."""
    order = np.arange(TURN // 2 + 1)
    waves = rng.standard_normal((2, order.size)) * bell(order, bumps)
    waves[:, 0] = 0  # no mean
    noise = np.fft.irfft(waves[0] + 1j * waves[1])
    return (noise / noise.std()).astype(np.float32)


def grain(rng: Rng, size: int, knots: int) -> Picture:
    """Draws the grain of tissue: cells with dark borders, clumps of cells, and haze."""
    cells = 0.8 * np.abs(field(rng, size, knots)) - 0.64
    cells += 0.5 * field(rng, size, 3 * knots // 2)
    clumps = 0.5 * field(rng, size, knots // 2)
    haze = 0.35 * field(rng, size, knots // 5)
    return np.minimum(cells + clumps + haze, 1.6)  # tissue emits no light


def fibre(rng: Rng, size: int) -> Picture:
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


def stamp(image: Picture, x: float, y: float, radius: float, dark: float, *, ring: bool) -> None:
    """Draws one particle onto an image, in place.

    Args:
      image: light, which is multiplied by the transmission of the particle.
      x: horizontal position of the centre.
      y: vertical position of the centre.
      radius: radius of the particle.
      dark: share of the light that the particle absorbs; negative for a bright particle.
      ring: whether the particle is a cell with a bright middle, not a plain spot.
    """
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


def solid(inside: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Keeps the largest 4-connected component and fills its holes."""
    labels, _ = ndimage.label(inside)
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    gaps, count = ndimage.label(~largest)
    open_gap = np.zeros(count + 1, bool)
    for border in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]):
        open_gap[border] = True
    open_gap[0] = False  # the component itself
    return ~open_gap[gaps]
