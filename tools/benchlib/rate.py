"""The highest rate with next to no loss: a search in short trials, tolerant of a busy machine.

`highest` knows nothing of networks: whatever finds a Figure from a place to start may stand in.
"""
import math

from figures import BenchError, Figure

MOST_LOSS = 1e-4
KEPT_UP = 0.95                                       # of what was sent, arriving by the end of it
CLEAR_LOSS = 0.05                                    # not a hiccup of the machine
LOWEST = 1000                                        # frames a second: below this there is no rate


def keeps(trial):
    """No loss, and no queue that grew as long as the trial lasted."""
    return trial.loss <= MOST_LOSS and trial.received_pps >= KEPT_UP * trial.sent_pps


def highest(trial, start=None, resolution=0.03, most=12, repeats=3):
    """The figure of the best trial that lost next to nothing.

    `trial(rate)` sends at that rate, or with None all it can. A rate that fails by little is tried
    once more before it counts as too high; a sender at its end is given `repeats` trials in all.
    `start` is where to look first, e.g. what the last round found.
    """
    best, low, high, failed_at = None, 0.0, math.inf, None
    rate, tries, overruns = start, 0, 0
    while tries < (most if low else 2 * most) and (low == 0 or high / low > 1 + resolution):
        one = trial(rate)
        tries, overruns = tries + 1, overruns + one.overruns
        if one.loss <= MOST_LOSS and (best is None or one.received_pps > best.received_pps):
            best = one
        if rate is None and keeps(one) or keeps(one) and one.sent_pps < KEPT_UP * rate:
            rate, low = None, one.sent_pps           # the sender has no more
            if tries >= repeats:
                break
        elif rate is None:
            high, rate = max(one.sent_pps, low), max(one.received_pps, LOWEST)
        elif keeps(one):
            low = max(low, rate)
            rate = _between(low, high)
        elif failed_at != rate and one.loss < CLEAR_LOSS:
            failed_at = rate
        elif rate <= LOWEST:
            break
        else:
            high = rate
            rate = max(_between(low, high), LOWEST)
    if best is None:
        raise BenchError(f"no rate with loss of at most {MOST_LOSS:g} in {tries} trials")
    remarks = ("the generator's own receiver lost frames",) if overruns else ()
    return Figure({"rate": best.received_pps / 1e3}, best.cpu_ns, best.others, remarks)


def _between(low, high):
    """Not far from what is known: an unknown bound is neared by a part of it."""
    if low == 0:
        return high * 0.8
    return min(math.sqrt(low * high), low * 1.125)
