"""3-tap convolutions with half the multiplications, for the CPU (Winograd).

Winograd's minimal filtering F(4, 3) gives four neighbouring outputs y of a 3-tap filter k by six
products instead of twelve:

    y = OUTPUT [(KERNEL k) * (INPUT d)],

where d holds the six inputs that the four outputs see (a tile). Summed over channels, each of the
six products is a matrix product, the operation that a CPU does best. A 3 x 3 kernel is filtered
along its height, after its three columns have been made channels. References: S. Winograd,
Arithmetic Complexity of Computations, 1980; for neural networks A. Lavin, S. Gray, CVPR 2016, the
source of the matrices.

The values equal those of an ordinary convolution up to rounding: in float32 the error is within
1e-5 of the largest value, where a direct sum has 1e-6. docs/evidence/performance.md,
"Convolutions", has the gain in time.

Arrays are channels-last: x is (B, H, W, C), a kernel is (kh, kw, C, F) with kh x kw = 3 x 3, 3 x 1
or 1 x 3.
"""

import numpy as np
from jax import ShapeDtypeStruct, lax
from jax import numpy as jnp
from jaxtyping import Array, Float

_Shaped = Array | ShapeDtypeStruct

_OUTPUTS, _INPUTS = 4, 6  # per tile
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_KERNEL = np.array(
    (
        (1 / 4, 0, 0),
        (-1 / 6, -1 / 6, -1 / 6),
        (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6),
        (0, 0, 1),
    )
)
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))

# Limits within which minimal filtering is the faster way, measured on two AVX2 cores. Cutting into
# tiles moves memory in proportion to the channels and saves products in proportion to their square;
# the transform of the kernel is only worth its time with enough pixels.
_FEW_CHANNELS, _MANY_CHANNELS = 32, 192
_CACHE_BYTES = 8e6
_PIXELS = 512


def pays(x: Float[_Shaped, "B H W C"], kernel: Float[_Shaped, "kh kw C F"]) -> bool:
    """Says, from shapes and dtypes, whether minimal filtering is the faster way to convolve."""
    channels = min(kernel.shape[2:])
    return (
        kernel.shape[:2] in ((3, 3), (3, 1), (1, 3))
        and x.dtype.itemsize >= 4
        and x.size >= _PIXELS * x.shape[-1]
        and channels >= _FEW_CHANNELS
        and (channels >= _MANY_CHANNELS or x.size * x.dtype.itemsize <= _CACHE_BYTES)
    )


def convolve(
    x: Float[Array, "B H W C"], kernel: Float[Array, "kh kw C F"]
) -> Float[Array, "B H W F"]:
    """Convolves at stride 1 with zero padding that keeps the size."""
    axis = _filtered_axis(kernel.shape)
    taps = jnp.moveaxis(kernel, axis - 1, 0)
    taps = taps.reshape(3, -1, kernel.shape[3])
    inputs = _input_tiles(x, kernel.shape)
    products = inputs.reshape(_INPUTS, -1, inputs.shape[-1]) @ jnp.tensordot(
        _KERNEL.astype(kernel.dtype), taps, 1
    )
    outputs = _combine(_OUTPUT, products.reshape(*inputs.shape[:-1], -1))
    return _join(outputs, axis, x.shape[axis])


def kernel_gradient(
    x: Float[Array, "B H W C"], g: Float[Array, "B H W F"], kernel_shape: tuple[int, ...]
) -> Float[Array, "kh kw C F"]:
    """Computes the gradient of `convolve` by its kernel.

    Args:
      x: the input.
      g: the gradient by the output.
      kernel_shape: (kh, kw, C, F).
    """
    axis = _filtered_axis(kernel_shape)
    other_side = kernel_shape[2 - axis]
    inputs = _input_tiles(x, kernel_shape)
    outputs = _combine(zip(*_OUTPUT, strict=True), _output_slices(g, axis))
    products = jnp.einsum(
        "tnc,tnf->tcf",
        inputs.reshape(_INPUTS, -1, inputs.shape[-1]),
        outputs.reshape(_INPUTS, -1, g.shape[-1]),
    )
    gradient = jnp.tensordot(_KERNEL.T.astype(x.dtype), products, 1)
    gradient = gradient.reshape(3, other_side, *kernel_shape[2:])
    return jnp.moveaxis(gradient, 0, axis - 1)


def _filtered_axis(kernel_shape):
    """Returns the axis of x along which the kernel is a 3-tap filter."""
    return 1 if kernel_shape[0] == 3 else 2


def _input_tiles(x, kernel_shape):
    """Computes INPUT d of every tile: (6, B, ..., kC), with tiles along the filtered axis."""
    axis = _filtered_axis(kernel_shape)
    if kernel_shape[:2] == (3, 3):
        width = x.shape[2]
        x = _pad(x, 2, 1, 1)
        x = jnp.concatenate([x[:, :, n : n + width] for n in range(3)], -1)
    tiles = -(-x.shape[axis] // _OUTPUTS)
    x = _pad(x, axis, 1, tiles * _OUTPUTS + 1 - x.shape[axis])
    end = (tiles - 1) * _OUTPUTS + 1
    return _combine(
        _INPUT, [lax.slice_in_dim(x, n, n + end, _OUTPUTS, axis) for n in range(_INPUTS)]
    )


def _output_slices(g, axis):
    """Splits the output gradient: for each n, the n-th output of every tile."""
    g = _pad(g, axis, 0, -g.shape[axis] % _OUTPUTS)
    return [lax.slice_in_dim(g, n, None, _OUTPUTS, axis) for n in range(_OUTPUTS)]


def _join(outputs, axis, size):
    """Undoes `_output_slices`, for outputs stacked to (4, B, ..., F)."""
    tiled = jnp.moveaxis(outputs, 0, axis + 1)
    shape = (*tiled.shape[:axis], -1, *tiled.shape[axis + 2 :])
    return lax.slice_in_dim(tiled.reshape(shape), 0, size, axis=axis)


def _pad(x, axis, before, after):
    widths = [(0, 0)] * x.ndim
    widths[axis] = (before, after)
    return jnp.pad(x, widths)


def _combine(matrix, parts):
    """Stacks, for each row of the matrix, the linear combination of the parts.

    The sums are spelt out because a matrix product with so few rows is slower here.
    """
    return jnp.stack(
        [
            sum(weight * part for weight, part in zip(row, parts, strict=True) if weight)
            for row in matrix
        ]
    )
