"""Choice of one scene and one plane of a file by number or name; never made silently."""

import math
import operator

from spheroid_jax.images.image import ImageError, Plane, Scene

# Choices that a message lists before it says "...".
_LISTED = 12
# Which axis each option chooses along.
_AXES = {"channel": "C", "z": "Z", "t": "T"}


def choose_scene(scenes: tuple[Scene, ...], scene: int | str | None) -> int:
    """Returns the number of the chosen scene.

    Args:
      scenes: the scenes of a file.
      scene: number from 0, name, or None for the only scene.

    Raises:
      ImageError: there are several scenes and no choice, or there is no such scene.
    """
    names = [each.name for each in scenes]
    if scene is not None:
        return _index("scene", scene, names)
    if len(scenes) > 1:
        sizes = ", ".join(
            f"{_numbered(n, each.name)} ({each.length('X')} x {each.length('Y')} px)"
            for n, each in enumerate(scenes[:_LISTED])
        )
        more = ", ..." * (len(scenes) > _LISTED)
        raise ImageError(f"{len(scenes)} scenes: {sizes}{more}; choose one with the option scene")
    return 0


def choose_plane(
    scene: Scene,
    *,
    channel: int | str | None = None,
    z: int | None = None,
    t: int | None = None,
) -> Plane:
    """Returns the chosen plane of a scene.

    A file may hold pages without saying whether these are channels, depths or times. Such pages can
    be chosen by any one of these three options, if the scene has no other axis for the option.

    Args:
      scene: the scene.
      channel: number from 0, name, or None for the only channel.
      z: number of the depth from 0, or None for the only depth.
      t: number of the time from 0, or None for the only time.

    Raises:
      ImageError: an axis has several planes and no choice is given, or there is no such plane.
    """
    given = {
        o: value for o, value in (("channel", channel), ("z", z), ("t", t)) if value is not None
    }
    names = {option: [""] * scene.length(axis) for option, axis in _AXES.items()}
    if len(scene.channel_names) == len(names["channel"]):
        names["channel"] = list(scene.channel_names)
    left = _without_axis(scene) if scene.unnamed else []
    called = [option for option in left if option in given]
    if len(called) == 1:
        names[called[0]] = [""] * scene.length(scene.unnamed)
        left = []
    chosen = {option: _index(option, value, names[option]) for option, value in given.items()}
    missing = {o: names[o] for o in names if len(names[o]) > 1 and o not in chosen}
    if missing or left:
        raise ImageError(_several(scene, missing, left))
    return Plane(**chosen)


def _without_axis(scene):
    return [option for option, axis in _AXES.items() if axis not in scene.axes]


def _several(scene, missing, left):
    """Returns the message that lists the planes of a scene, and the options that choose."""
    sizes = [n for n, axis in zip(scene.shape, scene.axes, strict=True) if axis not in "YXS"]
    shape = " x ".join(map(str, scene.shape))
    said = f"a stack of {math.prod(sizes)} images (axes {scene.axes}, {shape})"
    options = [f"{option} ({_listed(names)})" for option, names in missing.items()]
    if left:
        pages = scene.length(scene.unnamed)
        said += f"; the file does not say what its {pages} pages are"
        options.append(f"{' or '.join(left)} ({_listed([''] * pages)})")
    plural = "s" * (len(options) > 1)
    return f"{said}; choose one with the option{plural} {' and '.join(options)}"


def _index(option, value, names):
    """Returns the index that a number or a name stands for."""
    if isinstance(value, str):
        found = [n for n, name in enumerate(names) if name and name.casefold() == value.casefold()]
        if len(found) > 1:
            raise ImageError(f"{len(found)} of {option} are named {value!r}: {_listed(names)}")
    else:
        found = [n for n in range(len(names)) if n == operator.index(value)]
    if not found:
        has = (
            f"the choice is {_listed(names)}" if len(names) > 1 or any(names) else "it has one only"
        )
        raise ImageError(f"no {option} {value!r}: {has}")
    return found[0]


def _listed(names):
    """Lists numbers and names: "0 'DAPI', 1 'GFP'"; numbers alone as a range."""
    if len(names) > 1 and not any(names):
        return f"0 to {len(names) - 1}"
    listed = [_numbered(n, name) for n, name in enumerate(names[:_LISTED])]
    return ", ".join(listed + ["..."] * (len(names) > _LISTED))


def _numbered(number, name):
    return f"{number} {name!r}" if name else f"{number}"
