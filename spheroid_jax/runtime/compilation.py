"""XLA compiler options, and the folder of compiled programs."""

import ctypes
import functools
import hashlib
import pathlib
import platform

import jax

# On the CPU, XLA schedules for concurrency by default and drops the barriers by which `remat` keeps
# a backward pass from reusing results of the forward pass. With these options, a training step of
# the paper's size takes the same time and about half the temporary memory
# (docs/evidence/performance.md, "Memory"), and `remat` has an effect.
_CPU_OPTIONS = {
    "xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED",
    "xla_disable_hlo_passes": "cse_barrier_expander",
}


def options():
    """Returns the argument `compiler_options` of `jax.jit` for the default platform."""
    return _CPU_OPTIONS if jax.default_backend() == "cpu" else None


def jit(function):
    """Compiles a function like `jax.jit`, with the compiler options returned by `options`.

    The options are chosen at the first call, so that importing a module does not make JAX choose
    its platform.
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
    """Returns freed memory to the operating system, if the C library is glibc.

    Otherwise, glibc would keep the memory that compiling a training step has used.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def keep_programs(folder):
    """Keeps compiled programs on disk, so that running the same job again compiles nothing.

    Must be called before anything is compiled. Machines with different CPUs may share a cache
    folder, so each CPU instruction set has a subfolder. If the user has set
    JAX_COMPILATION_CACHE_DIR, that folder is used instead.

    Args:
      folder: the cache folder.
    """
    if jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        return
    path = pathlib.Path(folder) / "xla" / _instruction_set()
    jax.config.update("jax_compilation_cache_dir", str(path))
    # Small programs are kept too, because there are dozens, and each takes a while to compile.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def _instruction_set():
    """Returns a short name of the CPU's instruction set: the architecture and a hash."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("ascii").splitlines()
        features = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        features = platform.processor()
    name = platform.machine()
    return f"{name}-{hashlib.sha256(features.encode()).hexdigest()[:8]}"
