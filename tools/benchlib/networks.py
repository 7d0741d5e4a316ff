"""The networks that are measured, on top of tools/lab: made when first asked for, kept to the end.

two   gen1 - gateway ==VXLAN== gateway - gen2        both gateways of one make
peer  gen1 - gateway ==VXLAN== kernel  - gen2        one gateway faces the kernel's vxlan device
fan   gen1 - gateway ==VXLAN== 64 addresses          one gateway, and nobody who answers
idle  gen1 - a veth that nobody serves               what sending alone costs
one-U as peer, one worker on the last core           underlay U; made of taps or veths
"""
import contextlib
import json
import os
import re
import subprocess
import time
from types import SimpleNamespace

import machine
import overload
import ovs
import topology
from figures import BenchError
from labstate import Lab, names, run

VXGATE, PACKET, ROUTED = "vxgate", "vxgate, packet sockets", "vxgate, tap underlay"
ONE_WORKER, TWO_WORKERS = "one", "two"
KERNEL, STEERED, SWITCH = "kernel", "kernel, RPS", "Open vSwitch"
PEERS = 64
NOBODY = "02:00:00:00:fe:99"                         # the MAC address of the peers of `fan`
FAR_MAC = "02:56:58:00:00:02"                        # vxgen's own default destination
PHY = {1: "02:00:00:00:fe:01", 2: "02:00:00:00:fe:02"}
MEASURED = {"red": "red1", "measure": "gen1"}        # VSIs that Open vSwitch serves, and side 1


def sweep():
    """Takes down what a bench has left that was killed."""
    for name in names():
        found = re.fullmatch(r"bench(\d+)-\d+", name)
        if found and not machine.is_alive(int(found.group(1))):
            Lab.load(name).down()


class Field:
    """Every lab of this run. `close` takes all of them down, whatever has happened."""

    def __init__(self, binary):
        self.binary, self.made, self.steered = binary, 0, set()
        self.labs, self.switches, self.servers = {}, {}, {}

    def lab(self, kind, make):
        # RPS is a switch of the same network, so that both ways are measured on one.
        key = (kind, KERNEL if make == STEERED else make)
        lab = self.labs.get(key) or self._make(key)
        if key[1] == KERNEL and (make == STEERED) != (lab.name in self.steered):
            steer(lab, make == STEERED)
            self.steered ^= {lab.name}
        return lab

    def _make(self, key):
        self.made += 1
        lab = self.labs[key] = Lab.create(f"bench{os.getpid()}-{self.made}")
        _BUILDERS[key[0]](self, lab, key[1])
        return lab

    def fresh(self, kind, make):
        """One that nobody has used, beside those that stand; `end` takes it down."""
        return self._make((kind, make, self.made))

    def end(self, lab):
        self.labs = {key: one for key, one in self.labs.items() if one is not lab}
        self._down(lab)

    def serve(self, lab, role, *command):
        """A program that answers in one namespace, started when it is first needed."""
        key = (lab.name, role, command)
        if key not in self.servers:
            self.servers[key] = subprocess.Popen(
                ["nsenter", f"--net={lab.path(role)}", *command], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.2)

    def _down(self, lab):
        for key in [key for key in self.servers if key[0] == lab.name]:
            server = self.servers.pop(key)
            server.terminate()
            server.wait()
        for switch in self.switches.pop(lab.name, {}).values():
            switch.stop()
        lab.down()

    def close(self):
        while self.labs:
            self._down(self.labs.popitem()[1])

    # ---- what is known of the gateways

    def pids_of(self, lab):
        """Of the programs that are gateways, the first one's first."""
        return [gateway["pid"] for gateway in lab.gateways.values()] + [
            switch.pid for switch in self.switches.get(lab.name, {}).values()]

    def pids(self, kind, make):
        return self.pids_of(self.lab(kind, make))

    @contextlib.contextmanager
    def apart(self, lab):
        """Meanwhile each gateway of a lab stays on a core of its own, as far as there are some."""
        cores = sorted(os.sched_getaffinity(0))
        pids = self.pids_of(lab)
        for number, pid in enumerate(pids):
            machine.confine(pid, {cores[number % len(cores)]})
        try:
            yield
        finally:
            for pid in pids:
                machine.confine(pid, cores)

    @staticmethod
    def ask(lab, name, *words):
        """What a vxgate shows."""
        gateway = lab.gateways[name]
        return json.loads(run([gateway["binary"], *words, "--json", "--socket",
                               gateway["socket"]]).stdout)

    def macs(self, lab, make):
        """How many MAC addresses the first gateway knows in the VSI `red`; not asked of kernels."""
        if make == SWITCH:
            shown = self.switches[lab.name][1].appctl("fdb/stats-show", "red")
            return int(re.search(r"Current/maximum MAC entries[^:]*: *(\d+)", shown).group(1))
        return next(vsi["fdb_entries"] for vsi in self.ask(lab, "gw1", "show", "vsi")
                    if vsi["name"] == "red")

    def forget(self, kind, make):
        """What was learned in the VSI `red` of the first gateway."""
        lab = self.lab(kind, make)
        if make == SWITCH:
            self.switches[lab.name][1].appctl("fdb/flush", "red")
        elif make in (KERNEL, STEERED):
            lab.ip("gw1", "link set br-red type bridge fdb_flush")
        else:
            gateway = lab.gateways["gw1"]
            run([gateway["binary"], "clear", "fdb", "--vsi", "red", "--socket", gateway["socket"]])


def steer(lab, on):
    """Receive packet steering to all cores, or to none, on every device of both gateways."""
    cores = f"{(1 << os.cpu_count()) - 1:x}" if on else "0"
    for gateway in ("gw1", "gw2"):
        done = run(["ip", "netns", "exec", lab.roles[gateway], "sh", "-ec",
                    f"for f in /sys/class/net/*/queues/rx-*/rps_cpus; do echo {cores} > $f; done"],
                   check=False)
        if done.returncode:
            raise BenchError("RPS cannot be switched here: it takes root of the machine")


def _build(field, lab, network, access, workers="auto", underlay="udp"):
    topology.build(lab, SimpleNamespace(
        name=lab.name, topology=network, access=access, binary=field.binary, mtu=1500,
        workers=workers, set=[], kernel_host2=False, generator=False, underlay=underlay))


def _two(field, lab, make):
    if make == SWITCH:
        _build(field, lab, "bare", "veth")
        _switches(field, lab, (1, 2))
    elif make in (ONE_WORKER, TWO_WORKERS):
        _build(field, lab, "two-gateways", "tap", "1" if make == ONE_WORKER else "2")
    elif make in (KERNEL, STEERED):
        _build(field, lab, "kernel-only", "veth")
    else:
        _build(field, lab, "two-gateways", "veth" if make == PACKET else "tap",
               underlay="tap" if make == ROUTED else "udp")


def _peer(field, lab, make):
    if make == SWITCH:
        _build(field, lab, "bare-peer", "veth")
        _switches(field, lab, (1,))
    elif make in (KERNEL, STEERED):
        _build(field, lab, "kernel-only", "veth")
    else:
        _build(field, lab, "kernel-peer", "veth" if make == PACKET else "tap",
               underlay="tap" if make == ROUTED else "udp")


def _switches(field, lab, sides):
    switches = field.switches.setdefault(lab.name, {})
    for side in sides:
        far = 3 - side
        switch = switches[side] = ovs.Switch(lab, f"gw{side}")
        far_mac = PHY[far] if far in sides else _mac(lab, f"gw{far}", "under")
        switch.underlay(topology.vtep(side), PHY[side], [(topology.vtep(far), far_mac)])
        for vsi in MEASURED:
            device = topology.HOSTS[side][vsi][1]
            switch.network(vsi, topology.VSIS[vsi], f"{device}-port", [topology.vtep(far)])
            # It drops what has a checksum that was left to the device.
            if vsi == "red":
                lab.inside(f"red{side}", ["ethtool", "-K", device, "tx", "off"])
    if 2 not in sides:
        # The kernel's neighbor entry must not be of the time before the switch.
        lab.ip("gw2", f"neigh replace {topology.vtep(1)} lladdr {PHY[1]} dev under nud permanent")
        lab.inside("gw2", ["ethtool", "-K", "under", "tx", "off"])


def _mac(lab, role, device):
    return json.loads(lab.inside(role, ["ip", "-j", "link", "show", device]).stdout)[0]["address"]


# ---- one gateway and 64 peers

def peers():
    return [f"198.51.101.{number}" for number in range(1, PEERS + 1)]


def _fan(field, lab, make):
    """The peers have a MAC address that nobody has, so that their side costs next to nothing."""
    _build(field, lab, "bare", "veth")
    lab.ip("gw1", "addr flush dev under", f"addr add {topology.vtep(1)}/16 dev under",
           *(f"neigh replace {peer} lladdr {NOBODY} dev under nud permanent" for peer in peers()))
    if make == SWITCH:
        switch = ovs.Switch(lab, "gw1")
        field.switches[lab.name] = {1: switch}
        switch.underlay(topology.vtep(1), PHY[1], [(peer, NOBODY) for peer in peers()])
        switch.network("measure", 30, "gen1-port", peers())
        switch.flow("measure", f"dl_dst={FAR_MAC},actions=output:measure0")
    elif make == KERNEL:
        lab.ip("gw1", "link add name br-fan type bridge stp_state 0 mcast_snooping 0",
               f"link add name vx type vxlan id 30 local {topology.vtep(1)} dstport 4789 "
               "srcport 49152 65535 ttl 64",
               "link set vx master br-fan", "link set gen1-port master br-fan",
               "link set vx up", "link set br-fan up")
        for mac, way, targets in (("00:00:00:00:00:00", "append", peers()),
                                  (FAR_MAC, "append", peers()[:1])):
            for peer in targets:
                lab.inside("gw1", ["bridge", "fdb", way, mac, "dev", "vx", "dst", peer])
        lab.inside("gw1", ["bridge", "fdb", "add", FAR_MAC, "dev", "vx", "master", "static"])
    elif make == VXGATE:
        lab.start("gw1", os.path.realpath(field.binary), _fan_file(lab))
    else:
        raise BenchError(f"{make} has no 64 peers")


def _fan_file(lab):
    socket = os.path.join(lab.directory, "gw1", "control.sock")
    return "\n".join([
        "system: { name: gw1 }", f"vtep: {{ address: {topology.vtep(1)} }}",
        f"control: {{ socket: {socket} }}", "peers:",
        *(f"  - {{ name: p{n}, address: {peer} }}" for n, peer in enumerate(peers())),
        "vsis: [ { name: measure, vni: 30 } ]", "access-ports:",
        "  - { name: gen1, type: packet, device: gen1-port, vsi: measure }",
        f"static-fdb: [ {{ vsi: measure, mac: \"{FAR_MAC}\", peer: p0 }} ]", ""])


def _idle(field, lab, _):
    _build(field, lab, "bare", "veth")


def _one(underlay):
    def build(field, lab, access):
        overload.pinned(lambda: _build(field, lab, "kernel-peer", access, "1", underlay))
    return build


_BUILDERS = {"two": _two, "peer": _peer, "fan": _fan, "idle": _idle, "one-udp": _one("udp"),
             "one-tap": _one("tap")}
