"""E1, E2, E3, E5, E6: what crosses a whole network."""
import dataclasses

import rate
import traffic
from figures import Measure, Part
from networks import KERNEL, ONE_WORKER, PACKET, ROUTED, STEERED, SWITCH, TWO_WORKERS, VXGATE

FRAMES = "64-byte frames"
LOSSLESS = "The highest rate with loss of at most 1 in 10,000. "
COMPLETED = ("The kernel that faces Open vSwitch completes the outer checksums, which it otherwise "
             "leaves to the device.")
UPDATES = 10_000                                     # new MAC addresses a second in E5


def contestants(plan, without=()):
    """In the order in which they take turns."""
    return [name for name in (VXGATE, KERNEL, ROUTED, STEERED, PACKET, SWITCH)
            if name in plan.contestants and name not in without]


def ratios(names):
    """Each of ours against the better kernel, and against Open vSwitch."""
    kernels = tuple(name for name in (KERNEL, STEERED) if name in names)
    found = []
    for ours in (VXGATE, ROUTED, PACKET):
        if ours in names:
            found += [(ours, kernels)] + ([(ours, (SWITCH,))] if SWITCH in names else [])
    return tuple(found)


class Seeker:
    """Finds rates, and begins each search where the last one of the same contestant ended."""

    def __init__(self, plan):
        self.plan, self.known = plan, {}

    def __call__(self, kind, make, reverse=False, place=None, pin=False):
        plan, lab = self.plan, self.plan.field.lab(kind, make)
        key = (kind, make, reverse, place)
        found = rate.highest(
            lambda at: plan.generator.trial(lab, at, plan.seconds, reverse=reverse, pin=pin),
            self.known.get(key), plan.resolution, plan.trials, 2 if plan.quick else 3)
        self.known[key] = found.values["rate"] * 1e3
        return found


def e1(plan):
    """64-byte frames through two gateways, and through one that faces the kernel, both ways."""
    seek, names = Seeker(plan), contestants(plan)
    ways = (("two", "two", False, "through two gateways"),
            ("out", "peer", False, "through one gateway to the kernel's vxlan"),
            ("in", "peer", True, "from the kernel's vxlan through one gateway"))
    for key, kind, reverse, words in ways:
        takes = {name: (lambda name=name, kind=kind, reverse=reverse: seek(kind, name, reverse))
                 for name in names}
        yield Measure("E1", f"e1-{key}", {"rate": Part(f"{FRAMES} {words}", "kpps")},
                      takes, KERNEL, ratios(names), "frame",
                      LOSSLESS + (COMPLETED if SWITCH in names and key == "in" else ""))


def e2(plan):
    """TCP between hosts behind two gateways."""
    names = contestants(plan)
    for flows, words in ((1, "one flow"), (8, "eight flows")):
        takes = {name: (lambda name=name, flows=flows: traffic.tcp(
            plan.field, plan.field.lab("two", name), flows, plan.seconds * 2)) for name in names}
        yield Measure("E2", f"e2-{flows}", {"rate": Part(f"TCP, {words}", "Gbit/s")}, takes, KERNEL,
                      ratios(names), f"packet of {traffic.SEGMENT:,} bytes",
                      "Open vSwitch needs hosts without checksum offload, and so without "
                      "super-packets; all others have both." if SWITCH in names else "")


def e3(plan):
    """Questions and answers between hosts behind two gateways."""
    names = contestants(plan, without=(ROUTED,))
    takes = {name: (lambda name=name: traffic.ping_pong(
        plan.field, plan.field.lab("two", name), plan.seconds)) for name in names}
    words = "question and answer over UDP, one at a time"
    yield Measure("E3", "e3", {"p50": Part(f"{words}, p50", "us", False),
                               "p99": Part(f"{words}, p99", "us", False)},
                  takes, KERNEL, ratios(names), "exchange",
                  "Both ends are a small Python program, whose own time is in every figure.")


def e5(plan):
    """E1 while MAC addresses are learned, against the same frames from a MAC that is known."""
    seek, takes, pairs, counter = Seeker(plan), {}, [], [0]

    def take(name, fresh):
        lab = plan.field.lab("two", name)
        with plan.field.apart(lab):
            newcomers = traffic.Newcomers(lab, UPDATES, fresh, first=counter[0])
            try:
                found = seek("two", name, place=fresh, pin=True)
            finally:
                sent, pace = newcomers.stop()
                plan.field.forget("two", name)
        counter[0] += sent if fresh else 0
        if pace < 0.9 * UPDATES:
            slow = f"only {pace:.0f} of {UPDATES} frames a second were offered"
            found = dataclasses.replace(found, remarks=(*found.remarks, slow))
        return found

    for name in contestants(plan, without=(ROUTED, STEERED, PACKET)):
        quiet, busy = f"{name}, quiet", f"{name}, {UPDATES:,} updates/s"
        takes[quiet] = lambda name=name: take(name, False)
        takes[busy] = lambda name=name: take(name, True)
        pairs.append((busy, (quiet,)))
    yield Measure("E5", "e5", {"rate": Part(f"{FRAMES} while MAC addresses are learned", "kpps")},
                  takes, next(iter(takes)), tuple(pairs), "frame",
                  f"{LOSSLESS}Beside the measured frames {UPDATES:,} a second arrive at another "
                  "port: each from a new MAC address, or (quiet) all from one that is known. "
                  "Sender and first gateway are on one core, receiver and second gateway on the "
                  "next: where the scheduler puts them makes more of a difference.")


def e6(plan):
    """E1 with one worker and with two, and what a frame costs them at that."""
    seek = Seeker(plan)

    def take(make):
        found = seek("two", make, pin=True)
        return dataclasses.replace(found, values={**found.values, "cpu": found.cpu_ns})

    takes = {"1 worker": lambda: take(ONE_WORKER), "2 workers": lambda: take(TWO_WORKERS)}
    one, two = takes
    words = f"{FRAMES} through two gateways, by workers of each"
    parts = {"rate": Part(words, "kpps"), "cpu": Part(f"{words}: CPU time of one", "ns", False)}
    yield Measure("E6", "e6", parts, takes, one, ((two, (one,)),), "frame",
                  f"{LOSSLESS}Both gateways, the generator's sender on the first core and its "
                  "receiver on the next share the cores of this machine.")
