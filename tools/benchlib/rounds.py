"""Takes the figures: every contestant in turn, round after round, the control twice in each."""
import subprocess
import time

from figures import AGAIN, BenchError, summarise
from labstate import LabError

REST = 0.1                                           # seconds between takes, for queues to empty


def run(measure, pairs, say, until=None, rest=REST):
    """All rounds of a measure, summed up for each of its parts; after `until` only the first."""
    rows = []
    for number in range(pairs):
        if rows and until and time.monotonic() > until:
            break
        row = {}
        for name, take in measure.takes.items():
            _take(measure, row, name, name, take)
            time.sleep(rest)
        if measure.control in row:
            _take(measure, row, AGAIN, measure.control, measure.takes[measure.control])
            time.sleep(rest)
        rows.append(row)
        say(f"  {measure.key} round {number + 1} of {pairs}: {_line(measure, row)}")
    return [summarise(measure, key, rows) for key in measure.parts]


def _take(measure, row, place, name, take):
    """A contestant that fails has no figure this round, and after two failures none any more."""
    if len(measure.failed.get(name, ())) == 2:
        return
    try:
        row[place] = take()
    except (BenchError, LabError, subprocess.TimeoutExpired) as error:
        measure.failed.setdefault(name, []).append(" ".join(str(error).split())[:200])


def _line(measure, row):
    key, part = next(iter(measure.parts.items()))
    figures = [f"{f'{measure.control} again' if name == AGAIN else name} "
               + (f"{row[name].values[key]:.4g}" if name in row else "unmeasured")
               for name in (*measure.takes, *([AGAIN] if AGAIN in row else []))]
    return f"{', '.join(figures)} {part.unit}".rstrip()
