"""The arithmetic of a comparison: rounds of figures, medians of paired ratios, the void rule."""
import statistics
from dataclasses import dataclass, field

VOID_BELOW, VOID_ABOVE = 0.95, 1.05
AGAIN = "again"                                      # the control's second figure in a round


class BenchError(Exception):
    """One line: what could not be measured, and why."""


@dataclass(frozen=True)
class Part:
    """One number of a measure."""
    title: str
    unit: str
    more_is_better: bool = True


@dataclass(frozen=True)
class Figure:
    """What one take gave: a number for each part, and the CPU time that a packet cost."""
    values: dict
    cpu_ns: float = None
    others: float = None                             # cores that others kept busy meanwhile
    remarks: tuple = ()


@dataclass
class Measure:
    """Contestants that take turns. `takes` has a function for each that gives a Figure."""
    experiment: str                                  # E1 to E8
    key: str
    parts: dict                                      # key of a part -> Part
    takes: dict                                      # name of a contestant -> function
    control: str = None                              # who is measured twice in a round
    ratios: tuple = ()                               # (name, names of the peers it is held against)
    packet: str = "packet"                           # what `cpu_ns` is for
    about: str = ""
    failed: dict = field(default_factory=dict)       # name -> why it had no figure


def is_void(ratio):
    return ratio is None or not VOID_BELOW <= ratio <= VOID_ABOVE


def best(values, more_is_better):
    """The better of the figures that exist."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if more_is_better else min(known)


def ratio(ours, theirs):
    return None if ours is None or not theirs else ours / theirs


def spread(values):
    """Median and range of what exists; None when nothing does."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"median": statistics.median(known), "low": min(known), "high": max(known)}


def summarise(measure, key, rows):
    """One part of a measure out of its rounds, as the report holds it. A row is name -> Figure."""
    part = measure.parts[key]

    def value(row, name):
        return row[name].values.get(key) if name in row else None

    result = {"experiment": measure.experiment, "key": f"{measure.key}-{key}", "title": part.title,
              "unit": part.unit, "more_is_better": part.more_is_better, "rounds": len(rows),
              "packet": measure.packet, "about": measure.about, "contestants": [], "ratios": [],
              "others": spread(one.others for row in rows for one in row.values())}
    for name in measure.takes:
        one = {"name": name, "value": spread(value(row, name) for row in rows),
               "cpu_ns": spread(row[name].cpu_ns for row in rows if name in row),
               "rounds": [value(row, name) for row in rows],
               "remarks": sorted({word for row in rows if name in row
                                  for word in row[name].remarks})}
        failed = measure.failed.get(name, [])
        if one["value"] is None:
            one["unmeasured"] = failed[0] if failed else "no figure"
        else:
            one["remarks"] += [f"not in every round: {why}" for why in failed]
        result["contestants"].append(one)
    for ours, peers in measure.ratios:
        against = [best((value(row, peer) for peer in peers), part.more_is_better) for row in rows]
        paired = spread(ratio(value(row, ours), peer) for row, peer in zip(rows, against))
        if paired:
            result["ratios"].append({"of": ours, "to": " or ".join(peers), **paired})
    if measure.control:
        paired = spread(ratio(value(row, AGAIN), value(row, measure.control)) for row in rows)
        result["control"] = {"of": measure.control, **(paired or {}),
                             "void": is_void(paired and paired["median"])}
    return result
