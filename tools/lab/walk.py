"""Walks through a document: sends a packet, captures, finds each step of the text on the wire."""
import json
import os
import time

import documents
import steps
from capture import Capture, write_pcap
from labstate import Lab, LabError, run

SETTLE_SECONDS = 0.4
ONLY_I = 0x08                                        # of a VXLAN header's flags (RFC 7348, 5)


class Walk:
    """One lab, its symbols, its capture; counts the steps that are missing."""

    def __init__(self, lab, network):
        self.lab, self.plan = lab, documents.PLANS[network]
        self.names, self.missing, self.frames = {}, [], []
        self.capture = Capture()
        for role, host in self.plan.hosts.items():
            self.capture.listen(role, lab.path(role), host.device)
        for name in self.plan.gateways:
            self.capture.listen("wire", lab.path("wire"), name, incoming_only=True)

    # ---- symbols

    def name(self, symbol, value):
        """Both VTEP addresses and MACs get symbols; IP addresses of hosts are shown as they are."""
        self.names[value] = symbol

    def symbol(self, value):
        return self.names.get(value, value)

    def read(self, frame):
        """The fields of a frame in the form of those of a step."""
        eth = " > ".join(map(self.symbol, frame.eth))
        arp = ip = tunnel = ""
        if frame.arp:
            unknown = "00:00:00:00:00:00"
            sha, tha = (self.symbol(frame.arp[key]) for key in ("sha", "tha"))
            tha = "0" if frame.arp["tha"] == unknown or frame.arp["op"] == "request" else tha
            arp = f"{frame.arp['op']} {sha} {frame.arp['spa']} {tha} {frame.arp['tpa']}"
        if frame.ip:
            ip = "{source} > {destination} ttl {ttl}".format(**frame.ip)
        if frame.outer:
            source, far = (self.symbol(frame.outer[key]) for key in ("source", "destination"))
            tunnel = f"{source} > {far} vni {frame.outer['vni']}"
        return (frame.place, tunnel, eth, arp, ip)

    # ---- parts

    def part(self, title, action, expected, also=None):
        """Does something, then prints what passed, each frame beside the step that it is."""
        print(f"\n## {title}\n")
        self.capture.take()
        action()
        time.sleep(SETTLE_SECONDS)
        frames = self.capture.take(len(self.frames) + 1)
        self.frames += frames
        found = self._match(frames, expected)
        labels = {number: step for step, number in found if number}
        start = frames[0].time if frames else 0
        print("```")
        for frame in frames:
            step = labels.get(frame.number)
            self._print(frame, (frame.time - start) / 1e6, step)
        print("```\n")
        for step, number in found:
            print(f"- {step.label}: {step.text}" + (f" (frame {number})" if number else ""))
            if not number:
                wanted = "; ".join(filter(None, step.fields()))
                self._fail(step.label, f"no frame at {wanted}")
        for label, text, holds in also(frames) if also else ():
            print(f"- {label}: {text}")
            if not holds:
                self._fail(label, text)

    def _match(self, frames, expected):
        """The first frame for each step that comes after the step it depends on."""
        at, taken = {"": 0}, set()
        result = []
        for step in expected:
            least = at.get(step.after) or 0
            number = next((frame.number for frame in frames
                           if frame.number > least and frame.number not in taken
                           and self.read(frame) == step.fields()
                           and frame.ip.get("checksum") != "BAD"
                           and frame.outer.get("flags", ONLY_I) == ONLY_I), None)
            taken.add(number)
            at[step.label] = number
            result.append((step, number))
        return result

    def _print(self, frame, milliseconds, step):
        _, tunnel, eth, arp, ip = self.read(frame)
        if arp:
            op, sha, spa, tha, tpa = arp.split()
            said = f"ARP {op} sha={sha} spa={spa} tha={tha} tpa={tpa}"
        else:
            said = f"{frame.ip['payload']} {ip}, checksum {frame.ip['checksum']}"
        if tunnel:
            ports = "udp {} > {}".format(*frame.outer["ports"])
            tunnel = tunnel.replace(" vni ", f" {ports} vni ") + " | "
        label = step.label if step else "-"
        print(f"{label:<4} {frame.number:>3} {milliseconds:>8.3f} ms  {frame.place:<8} "
              f"{tunnel}{eth}  {said}")

    def _fail(self, label, text):
        print(f"  MISSING: {text}")
        self.missing.append(label)

    # ---- what the parts do and ask

    def ping(self, role, address, count=1):
        """Its answer is one of the steps, so that its status says nothing more."""
        words = ["ping", "-n", "-q", "-c", str(count), "-W", "2", address]
        self.lab.inside(role, words, check=False)

    def forget(self, *roles):
        """The hosts' ARP caches and, of gateways, what they have learned of neighbors."""
        for role in roles:
            if role in self.lab.gateways:
                self.show(role, ["clear", "arp"], is_json=False)
            else:
                self.lab.inside(role, ["ip", "neigh", "flush", "all"])

    def show(self, gateway, words, is_json=True):
        known = self.lab.gateways[gateway]
        flags = ["--json"] if is_json else []
        done = run([known["binary"], *words, *flags, "--socket", known["socket"]])
        return json.loads(done.stdout) if is_json else done.stdout

    def arp_of(self, gateway, address):
        """(MAC symbol, port or peer) of an address; None for one that it does not know."""
        for row in self.show(gateway, ["show", "arp"]):
            if row["address"] == address:
                return self.symbol(row["mac"]), row["port"] or row["peer"]
        return None

    def own_mac(self, gateway, interface):
        """Of an interface of a gateway, or of the kernel where that is the gateway."""
        if gateway in self.lab.gateways:
            return next(row["mac"] for row in self.show(gateway, ["show", "arp"])
                        if row["kind"] == "own" and row["interface"] == interface)
        shown = self.lab.inside(gateway, ["ip", "-j", "link", "show", interface]).stdout
        return json.loads(shown)[0]["address"]

    def cached(self, role, address):
        """The symbol of the MAC that a host's own stack has for an address."""
        words = self.lab.inside(role, ["ip", "neigh", "show", address]).stdout.split()
        return self.symbol(words[words.index("lladdr") + 1]) if "lladdr" in words else None


def walk(options):
    """Makes a lab, walks through it, takes it down; the number of steps that are missing."""
    if not os.access(options.binary, os.X_OK):
        raise LabError(f"no program at {options.binary}: build it with `swift build -c release`")
    lab = Lab.create(f"walk-{os.getpid()}")
    try:
        documents.build(lab, options.network, options)
        time.sleep(0.3)
        tour = Walk(lab, options.network)
        steps.WALKS[options.network](tour)
        if options.pcap:
            write_pcap(options.pcap, tour.frames)
        count = len(tour.missing)
        print(f"\n{len(tour.frames)} frames; "
              + ("every step was seen" if not count else f"MISSING: {', '.join(tour.missing)}"))
        return count
    finally:
        lab.down()
