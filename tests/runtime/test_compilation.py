"""Tests of the compiler options and of the folder of compiled programs."""

import platform

import jax
import numpy as np
import pytest
from jax import numpy as jnp

from spheroid_jax.runtime import compilation


@pytest.fixture
def cache_setting():
    """Restores the settings of JAX that `keep_programs` changes."""
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_programs_are_kept_apart_by_instruction_set(tmp_path, cache_setting):
    compilation.keep_programs(tmp_path)
    kept = jax.config.jax_compilation_cache_dir
    assert kept.startswith(str(tmp_path / "xla" / platform.machine()))
    assert kept != str(tmp_path / "xla" / platform.machine())


def test_a_folder_that_the_user_chose_stays(tmp_path, cache_setting):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "mine"))
    compilation.keep_programs(tmp_path)
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "mine")


def test_jit_compiles_once_a_shape_and_keeps_the_name():
    traces = []

    def double(x):
        """Doubles a number."""
        traces.append(x.shape)
        return 2 * x

    compiled = compilation.jit(double)
    assert compiled.__name__ == "double" and not traces
    for x in (jnp.ones(2), jnp.ones(2), jnp.ones(3)):
        np.testing.assert_array_equal(compiled(x), 2 * np.ones(x.shape))
    assert traces == [(2,), (3,)]


def test_xla_knows_the_options_and_memory_can_be_released():
    assert compilation.options()
    program = jax.jit(jnp.sin, compiler_options=compilation.options())
    assert float(program(0.0)) == 0.0
    compilation.release_memory()
