"""E4, E7: what a copy costs, and what a gateway takes when nothing happens."""
import json
import time

import machine
import traffic
from figures import BenchError, Figure, Measure, Part
from networks import FAR_MAC, KERNEL, PEERS, SWITCH, VXGATE

EVERYONE = "ff:ff:ff:ff:ff:ff"
UNICAST_RATE, BROADCAST_RATE = 64_000, 2_000         # the latter times 64 is 128,000 copies
MACS, MACS_RATE = 100_000, 25_000


def e4(plan):
    """A broadcast to 64 peers: CPU time a copy, beside that of a frame to one peer."""
    names = [name for name in (VXGATE, KERNEL, SWITCH) if name in plan.contestants]
    takes = {name: (lambda name=name: _replication(plan, name)) for name in names}
    yield Measure(
        "E4", "e4", {"ratio": Part(f"CPU time of a copy to one of {PEERS} peers over a unicast",
                                   "", False),
                     "copy": Part(f"CPU time of a copy to one of {PEERS} peers", "ns", False),
                     "unicast": Part("CPU time of a unicast frame to a peer", "ns", False)},
        takes, KERNEL, tuple((VXGATE, (peer,)) for peer in names if peer != VXGATE), "frame",
        "Processes of the gateway and the generator and the kernel's packet threads, less what the "
        "generator takes to send the same into a device that nobody serves.")


def _replication(plan, name):
    """Copies that left are counted by the gateway itself: no peer is there to do it."""
    lab, seconds = plan.field.lab("fan", name), max(plan.seconds, 0.5)
    unicast, count, _ = _cost(plan, lab, name, UNICAST_RATE, FAR_MAC, seconds)
    copies, count_all, frames = _cost(plan, lab, name, BROADCAST_RATE, EVERYONE, seconds)
    if count < 0.95 * UNICAST_RATE * seconds or count_all < 0.95 * frames * PEERS:
        raise BenchError(f"{count} unicast frames and {count_all} copies of {frames} broadcasts "
                         "have left: too few to compare")
    one, each = unicast / count, copies / count_all
    return Figure({"ratio": each / one, "copy": each * 1e9, "unicast": one * 1e9})


def _cost(plan, lab, name, rate, target, seconds):
    """(CPU seconds of the gateway, frames that left it, frames that were sent)."""
    def spend(device_lab):
        before = _spent(plan, name)
        trial = plan.generator.trial(device_lab, rate, seconds, target=target, receive=False)
        time.sleep(0.05)
        return _spent(plan, name) - before, trial.sent

    alone, _ = spend(plan.field.lab("idle", KERNEL))
    left = _left(plan, lab, name)
    busy, sent = spend(lab)
    return max(busy - alone, 0), _left(plan, lab, name) - left, sent


def _spent(plan, name):
    """CPU seconds of all that works on these packets."""
    return (machine.children_seconds() + machine.softirq_seconds()
            + sum(machine.cpu_seconds(pid) for pid in plan.field.pids("fan", name)))


def _left(plan, lab, name):
    """Frames that a gateway has sent into tunnels."""
    if name == VXGATE:
        counters = plan.field.ask(lab, "gw1", "show", "counters")
        return next(stage["packets"] for stage in counters["stages"]
                    if stage["stage"] == "encapsulate")
    device = "under" if name == SWITCH else "vx"
    shown = lab.inside("gw1", ["ip", "-j", "-s", "link", "show", device]).stdout
    return json.loads(shown)[0]["stats64"]["tx"]["packets"]


# ---- nothing to do, and much to remember

def e7(plan):
    """CPU time of an idle gateway, and memory for each MAC address it has learned."""
    names = [name for name in (VXGATE, KERNEL, SWITCH) if name in plan.contestants]
    takes = {name: (lambda name=name: _idle(plan, name)) for name in names if name != KERNEL}
    yield Measure("E7", "e7-idle", {"cpu": Part("CPU of an idle gateway", "% of a core", False)},
                  takes, None, tuple((VXGATE, (peer,)) for peer in takes if peer != VXGATE),
                  about="The kernel's bridge has no process that could be idle. No control pair: "
                        "the figures are next to nothing.")
    takes = {name: (lambda name=name: _memory(plan, name)) for name in names}
    yield Measure("E7", "e7-memory", {"mac": Part(f"memory for each of {MACS:,} MAC addresses",
                                                  "bytes", False)},
                  takes, None, tuple((VXGATE, (peer,)) for peer in takes if peer != VXGATE),
                  about="What the gateway's resident memory has grown by; for the kernel the size "
                        "of a bridge's entry, without the index over them. That of Open vSwitch "
                        "holds its flow cache as well. No control pair.")


def _idle(plan, name):
    pids, seconds = plan.field.pids("two", name), max(2 * plan.seconds, 1)
    time.sleep(0.3)
    before, started = sum(map(machine.cpu_seconds, pids)), time.monotonic()
    time.sleep(seconds)
    used = sum(map(machine.cpu_seconds, pids)) - before
    return Figure({"cpu": 100 * used / (time.monotonic() - started) / len(pids)})


def _memory(plan, name):
    """Of a gateway that was just made, because memory that was used once is not given back."""
    if name == KERNEL:
        entry = machine.bridge_entry_bytes()
        if entry is None:
            raise BenchError("the kernel does not show the size of a bridge's entry")
        return Figure({"mac": entry})
    lab = plan.field.fresh("two", name)
    gateway, held = plan.field.pids_of(lab)[0], plan.field.macs(lab, name)
    before = machine.resident_bytes(gateway)
    traffic.Newcomers(lab, MACS_RATE, count=MACS).wait(60)
    time.sleep(1)
    learned = plan.field.macs(lab, name) - held
    if learned < MACS / 2:
        raise BenchError(f"only {learned} of {MACS} MAC addresses were learned")
    after = machine.resident_bytes(gateway)
    plan.field.end(lab)
    remarks = () if learned >= 0.99 * MACS else (f"{learned:,} were learned",)
    return Figure({"mac": (after - before) / learned}, remarks=remarks)
