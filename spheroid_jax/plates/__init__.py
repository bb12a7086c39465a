"""From wells to answers: plate maps, growth, dose response, regrowth, and quality of plates.

The folder has another name than the function `spheroid_jax.plate`, which it would hide otherwise.
"""
