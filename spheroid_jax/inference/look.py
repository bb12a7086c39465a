"""The bodies of an image: the whole frame first, then windows around bodies that are small in it.

The network sees a square grid. The whole frame is seen on two grids (`frame`). A body that covers
few pixels of the grid is found, but its contour is coarse, and bodies that touch may melt into one.
So each body that is small on the grid is looked at again in a window in which it is larger
(`closer`), and what is seen there replaces it. In the end, what is no body is left out (`sifting`).
"""

from typing import NamedTuple

from spheroid_jax import images
from spheroid_jax.inference import closer, frame, sifting, views
from spheroid_jax.inference.instances import Maps
from spheroid_jax.inference.views import Network, Seen, View


class Findings(NamedTuple):
    """What was found in an image.

    Attributes:
      whole: the view of the whole frame.
      bodies: the bodies, each in the best view of it, by falling area.
    """

    whole: View
    bodies: list[Seen]


def look(network: Network, gray: images.Gray, coarse: Maps, size: int) -> Findings:
    """Finds the bodies of an image, each in the best view of it.

    Args:
      network: computes maps.
      gray: the image.
      coarse: the network's maps of the whole frame, without what lies beyond it.
      size: side of the grid in pixels.
    """
    first = frame.see(network, gray, coarse, size)
    found = views.bodies_of(first, looks=1)
    for _ in range(closer.MOST_LOOKS - 1):
        small = [seen for seen in found if closer.is_small(seen, size)]
        planned = closer.plan_windows(small, gray.shape, size)
        planned = [(window, held) for window, held in planned if closer.gains(window, held, size)]
        if not planned:
            break
        seen_in = views.see(network, gray, size, [window for window, _ in planned])
        replaced = {id(seen) for _, held in planned for seen in held}
        found = [seen for seen in found if id(seen) not in replaced]
        for view, (_, held) in zip(seen_in, planned, strict=True):
            found += closer.seen_again(view, held, small)
    found = sifting.sifted(found, max(gray.shape))
    return Findings(first, sorted(found, key=lambda seen: -seen.diameter))
