"""Nominal times: images of one round, taken some minutes apart, have one time."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

# Images of different wells that are at most so far apart are of one round.
TOLERANCE_H = 0.5


def times(by_well: Mapping[Hashable, Sequence[float]]) -> dict[float, float]:
    """Finds the round of each time, and the round's time, which most wells have.

    A round begins with its earliest image and lasts `TOLERANCE_H`, or until a well has its next
    image: a well is seen once per round, so a film with an image every ten minutes stays one.

    Args:
      by_well: times in hours of the images of each well.

    Returns:
      The time of the round, by time. Of times that equally many wells have, the earliest.
    """
    wells: dict[float, list[Hashable]] = {}
    for well, own in by_well.items():
        for time in set(own):
            wells.setdefault(time, []).append(well)
    rounds: list[list[float]] = []
    seen: set[Hashable] = set()
    for time in sorted(wells):
        if not rounds or time - rounds[-1][0] > TOLERANCE_H + 1e-9 or seen & set(wells[time]):
            rounds.append([])
            seen = set()
        rounds[-1].append(time)
        seen |= set(wells[time])
    found = {}
    for members in rounds:
        most = Counter({time: len(wells[time]) for time in members}).most_common(1)[0][0]
        found |= dict.fromkeys(members, most)
    return found


def nearest(time_h: float, every: Sequence[float]) -> float | None:
    """Returns the nominal time that is meant by a time; None if none is within the tolerance."""
    found = min(every, key=lambda each: abs(each - time_h))
    return found if abs(found - time_h) <= TOLERANCE_H + 1e-9 else None
