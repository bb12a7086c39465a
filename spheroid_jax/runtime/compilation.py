"""How XLA is asked to compile, and where compiled programs are kept."""

import ctypes
import functools
import hashlib
import pathlib
import platform

import jax

# On the CPU XLA schedules for concurrency and drops the barriers that keep a
# backward pass from reusing what the forward pass computed. Scheduled for
# memory, and with the barriers, a training step of the paper's size needs
# about half the temporary memory, in the same time (docs/evidence/performance.md,
# "Memory"); without the barriers `remat` has no effect there.
_CPU_OPTIONS = {
    "xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED",
    "xla_disable_hlo_passes": "cse_barrier_expander",
}


def options():
    """The `compiler_options` of `jax.jit` for the default platform."""
    return _CPU_OPTIONS if jax.default_backend() == "cpu" else None


def jit(function):
    """`jax.jit` with `options`, which are looked up at the first call.

    So a module can be imported before JAX has chosen its platform.
    """

    @functools.cache
    def compiled():
        return jax.jit(function, compiler_options=options())

    @functools.wraps(function)
    def call(*arguments):
        return compiled()(*arguments)

    call.compiled = compiled  # pyright: ignore[reportAttributeAccessIssue]
    return call


def release_memory():
    """Gives memory that was freed back to the system, where that is possible.

    What compiling a training step used the C library would keep.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def keep_programs(folder):
    """Keeps compiled programs on disk: the same job compiles nothing again.

    Programs for the CPU are kept apart by its instruction set, since a cache
    folder may be shared by machines of several kinds. A folder that the user
    has chosen (JAX_COMPILATION_CACHE_DIR) stays.

    Args:
      folder: the cache folder; call it before anything is compiled.
    """
    if jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        return
    path = pathlib.Path(folder) / "xla" / _instruction_set()
    jax.config.update("jax_compilation_cache_dir", str(path))
    # Small programs too: there are dozens, and each takes a while.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def _instruction_set():
    """A short name of what this machine's CPU can do."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("ascii").splitlines()
        features = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        features = platform.processor()
    name = platform.machine()
    return f"{name}-{hashlib.sha256(features.encode()).hexdigest()[:8]}"
