"""E8: what a gateway on one core delivers, and how fast it answers, at twice the load it can take.

The gateway has the last core to itself with everything it has, workers, agent and control API, and
what the kernel does for it there; generator and operator share the first. So the generator cannot
take from the gateway what it spends on a higher load. What arrives is counted by the device behind
the gateway and not by a receiver, which would slow down the sender. The other end is the kernel's.
"""
import http.client
import json
import os
import socket
import statistics
import sys
import threading
import time

import machine
import traffic
from figures import BenchError, Figure, Measure, Part

SENDERS, RECEIVER = "02:77:00:00:00:01", "02:99:00:00:00:01"
HOSTS = 10_000                                       # source MAC addresses, and so rows of the FDB
FIRST, STEP, HIGHEST = 150_000, 1.3, 3_000_000       # frames a second, the ladder
KEPT_UP = 0.97                                       # of the load, delivered: not yet saturated
TURNS = 3
GATEWAYS = (("taps, sockets", "tap", "udp"), ("packet sockets, sockets", "veth", "udp"),
            ("taps, underlay tap", "tap", "tap"), ("packet sockets, underlay tap", "veth", "tap"))
WAYS = (("out", "into a tunnel"), ("in", "out of a tunnel"))


def e8(plan):
    """Goodput at twice the saturating load, and the control API meanwhile."""
    for key, words in WAYS:
        takes = {name: (lambda access=access, underlay=underlay, key=key: _take(
            plan, access, underlay, key)) for name, access, underlay in GATEWAYS}
        yield Measure(
            "E8", f"e8-{key}",
            {"kept": Part(f"goodput at twice the saturating load, of that at it, {words}", "%"),
             "peak": Part(f"goodput at the saturating load on one core, {words}", "kpps"),
             "p99": Part(f"answer of the control API under it, p99, {words}", "ms", False),
             "max": Part(f"answer of the control API under it, longest, {words}", "ms", False)},
            takes, None, (), "frame",
            f"64-byte frames of {HOSTS:,} hosts. Control, agent and one worker share one core. "
            "Asked for are counters, and now and then the whole FDB or a reload. No control pair: "
            "what is compared was measured in turns.")


def _take(plan, access, underlay, way):
    if os.cpu_count() < 2:
        raise BenchError("the generator needs a core of its own, and there is one")
    lab = plan.field.lab(f"one-{underlay}", access)
    found = measure(lab, plan.generator.program, way, plan.seconds)
    if found["kernel_threads"]:
        raise BenchError(f"the kernel made threads for it: {', '.join(found['kernel_threads'])}")
    remarks = [] if found["offered"] >= 1.8 * found["peak"] else [
        f"the generator offered {found['offered']:.0f} kpps at most"]
    return Figure({key: found[key] for key in ("kept", "peak", "p99", "max")}, None,
                  found["others"], tuple(remarks))


def measure(lab, program, way, seconds):
    """Finds the saturating load, and what becomes of goodput and answers at twice that."""
    load = Load(lab, program, way)
    load.learn()
    rate, found = FIRST, load.goodput(FIRST, seconds)
    while found.received >= KEPT_UP * rate and rate < HIGHEST:
        rate *= STEP
        found = load.goodput(rate, seconds)
    once, twice = [found], []
    for _ in range(TURNS):
        once.append(load.goodput(rate, seconds))
        twice.append(load.goodput(2 * rate, seconds))
    with Operator(lab, "gw1") as operator:
        load.goodput(2 * rate, 3 * seconds)
    peak = statistics.median(one.received for one in once)
    return {"peak": peak / 1e3,
            "kept": 100 * statistics.median(one.received for one in twice) / peak,
            "best": 100 * max(two.received / one.received for one, two in zip(once[1:], twice)),
            "offered": min(one.offered for one in twice) / 1e3,
            "p99": operator.quantile(0.99), "max": operator.quantile(1),
            "answers": len(operator.seconds), "kernel_threads": sorted(operator.offenders),
            "others": max(one.others for one in once + twice)}


class Goodput:
    def __init__(self, offered, received, others):
        self.offered, self.received, self.others = offered, received, others


class Load:
    """Frames from many hosts to one, into the gateway's port or out of its tunnel."""

    def __init__(self, lab, program, way):
        self.lab, self.way, self.behind = lab, way, "gen2" if way == "out" else "gen1"
        self.words = ["taskset", "-c", "0", program, "run", "--source-macs", str(HOSTS), "--source",
                      "10.9.0.0/16", "--source-mac", SENDERS, "--destination-mac", RECEIVER,
                      "--size", "64", "--burst", str(traffic.BURST), "--json"]
        if way == "out":
            self.role, self.ends = "gen", ["--device", "gen1"]
        else:
            self.role, self.ends = "gw2", [
                "--vxlan", "198.51.100.1", "--allow-any-target", "--vni", "30",
                "--vxlan-source", "198.51.100.2"]

    def learn(self):
        """The bridges come to know where the receiver is, and all of the senders.

        Flows draw their hosts: of as many flows as hosts, a third of the hosts would have none.
        """
        at = ["--receive", self.behind, "--learn"]
        if self.way == "in":
            at += ["--receive-netns", self.lab.roles["gen"]]
        flows = str(5 * HOSTS)
        self._run(["--flows", flows, "--rate", "20kpps", "--count", flows, *at], 10)

    def goodput(self, rate, seconds):
        meter, before = machine.CPUMeter(), self._arrived()
        said = self._run(["--flows", str(HOSTS), "--rate", f"{rate:.0f}pps", "--duration",
                          f"{1000 * seconds:.0f}ms"], seconds + 10)
        time.sleep(0.05)
        arrived, (_, others) = self._arrived() - before, meter.read()
        return Goodput(said["offered"] / seconds, arrived / seconds, others)

    def _run(self, words, seconds):
        said = traffic.inside(self.lab, self.role, [*self.words, *self.ends, *words], seconds)
        return json.loads(said.splitlines()[-1])

    def _arrived(self):
        rows = self.lab.inside("gen", ["cat", "/proc/net/dev"]).stdout
        return int(rows.split(f"{self.behind}:")[1].split()[1])


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Operator:
    """Asks a gateway one question after the other, and looks at its threads, until told to stop."""

    def __init__(self, lab, name):
        gateway = lab.gateways[name]
        self.path, self.pid = gateway["socket"], gateway["pid"]
        with open(gateway["config"], "rb") as source:
            self.file = source.read()
        self.seconds, self.offenders, self.error = [], set(), None
        self.over, self.thread = threading.Event(), threading.Thread(target=self._ask)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        if self.error and not _[0]:
            raise BenchError(f"control API: {self.error}")

    def quantile(self, share):
        """In milliseconds."""
        known = sorted(self.seconds)
        return 1e3 * known[min(int(share * len(known)), len(known) - 1)]

    def _ask(self):
        connection, count = _Connection(self.path), 0
        while not self.over.is_set():
            question = ("GET", "/v1/counters", None)
            if count % 5 == 4:
                question = ("GET", "/v1/fdb", None)
            elif count % 20 == 2:
                question = ("PUT", "/v1/config", self.file)
            count += 1
            begun = time.monotonic()
            try:
                connection.request(*question)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.error = f"{' '.join(question[:2])}: {error!r}"
                return
            self.seconds.append(time.monotonic() - begun)
            if answer.status != 200:
                self.error = f"{' '.join(question[:2])}: {answer.status} {text[:200]!r}"
                return
            self.offenders |= kernel_workers(self.pid)
            time.sleep(0.02)


def kernel_workers(pid):
    """Threads that io_uring made for what it could not do at once."""
    names = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/comm") as source:
                names.add(source.read().strip())
        except OSError:
            pass
    return {name for name in names if name.startswith("iou-wrk")}


def pinned(build):
    """Has a network built whose processes run on the last core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        build()
    finally:
        os.sched_setaffinity(0, before)


def main():
    """overload.py LAB VXGEN out|in SECONDS: one measurement in a lab that stands."""
    name, program, way, seconds = sys.argv[1:]
    try:
        print(json.dumps(measure(Lab.load(name), program, way, float(seconds))))
    except (BenchError, LabError) as error:
        sys.exit(f"overload: {error}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
    from labstate import Lab, LabError
    main()
