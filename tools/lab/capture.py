"""Frames as they pass, at several places of a lab at once, in the order of the kernel's clock."""
import ctypes
import os
import socket
import struct
from dataclasses import dataclass, field

ETH_P_ALL, ETH_P_IP, ETH_P_ARP = 0x0003, 0x0800, 0x0806
PACKET_OUTGOING, SO_TIMESTAMPNS, CLONE_NEWNET = 4, 35, 0x40000000
SOL_PACKET, PACKET_VNET_HDR = 263, 15
OFFLOAD_HEADER = struct.Struct("<BBHHHH")            # flags, kind, header, segment, checksum places
UDP_SEGMENTS = 5                                     # the kind of several datagrams in one buffer
VXLAN_PORT = 4789
ARP_WORDS = {1: "request", 2: "reply"}
ICMP_WORDS = {0: "echo reply", 3: "unreachable", 8: "echo request", 11: "time exceeded"}


@dataclass
class Frame:
    """One frame, its fields by name; on the wire those of the frame inside the tunnel."""
    number: int
    time: int                                        # nanoseconds since the epoch
    place: str
    data: bytes
    outer: dict = field(default_factory=dict)        # source, destination, ports, vni
    eth: tuple = ()                                  # source and destination MAC
    arp: dict = field(default_factory=dict)
    ip: dict = field(default_factory=dict)

    def inner(self):
        """Reads the fields; False for what the walks are not about (the wire's own ARP)."""
        start = 0
        if self.place == "wire":
            start = self._outer()
            if start is None:
                return False
        self.eth = (mac(self.data[start + 6:start + 12]), mac(self.data[start:start + 6]))
        kind, = struct.unpack_from("!H", self.data, start + 12)
        if kind == ETH_P_ARP:
            self._arp(start + 14)
        elif kind == ETH_P_IP:
            self._ip(start + 14)
        return bool(self.arp or self.ip)

    def _outer(self):
        if len(self.data) < 64 or self.data[12:14] != b"\x08\x00" or self.data[23] != 17:
            return None
        udp = 14 + 4 * (self.data[14] & 15)
        source, destination = struct.unpack_from("!HH", self.data, udp)
        if destination != VXLAN_PORT:
            return None
        flags, = struct.unpack_from("!B", self.data, udp + 8)
        self.outer = {
            "source": dotted(self.data[26:30]), "destination": dotted(self.data[30:34]),
            "ports": (source, destination), "flags": flags, "ttl": self.data[22],
            "vni": int.from_bytes(self.data[udp + 12:udp + 15], "big"),
        }
        return udp + 16

    def _arp(self, at):
        operation, = struct.unpack_from("!H", self.data, at + 6)
        self.arp = {"op": ARP_WORDS.get(operation, str(operation))}
        for key, offset in (("sha", 8), ("tha", 18)):
            self.arp[key] = mac(self.data[at + offset:at + offset + 6])
        for key, offset in (("spa", 14), ("tpa", 24)):
            self.arp[key] = dotted(self.data[at + offset:at + offset + 4])

    def _ip(self, at):
        size = 4 * (self.data[at] & 15)
        header = self.data[at:at + size]
        self.ip = {"source": dotted(header[12:16]), "destination": dotted(header[16:20]),
                   "ttl": header[8], "checksum": "good" if checksum_holds(header) else "BAD",
                   "payload": "protocol %d" % header[9]}
        if header[9] == 1:
            kind = self.data[at + size]
            self.ip["payload"] = "ICMP " + ICMP_WORDS.get(kind, str(kind))


class Capture:
    """Listens at places of a lab from its making on."""

    def __init__(self):
        self._ears = []                              # (place, socket, incoming only)

    def listen(self, place, namespace_path, device, incoming_only=False):
        ear = socket_inside(namespace_path)
        ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        ear.bind((device, ETH_P_ALL))
        ear.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        ear.setblocking(False)
        self._ears.append((place, ear, incoming_only))

    def take(self, first=1):
        """All that has come since and that the walks are about, numbered from `first`."""
        seen = []
        for place, ear, incoming_only in self._ears:
            while True:
                try:
                    data, notes, _, address = ear.recvmsg(65536, 256)
                except BlockingIOError:
                    break
                if not (incoming_only and address[2] == PACKET_OUTGOING):
                    stamp = _stamp(notes)
                    seen += [(stamp, place, part) for part in datagrams(data)]
        seen.sort(key=lambda one: one[:2])
        frames = [Frame(0, time, place, data) for time, place, data in seen]
        frames = [frame for frame in frames if frame.inner()]
        for number, frame in enumerate(frames, start=first):
            frame.number = number
        return frames

    def close(self):
        for _, ear, _ in self._ears:
            ear.close()


def datagrams(data):
    """A gateway hands several datagrams of one size to the kernel at once, and a veth passes them
    on as one: here they are what they become on a real wire."""
    _, kind, _, size, _, _ = OFFLOAD_HEADER.unpack_from(data)
    frame = data[OFFLOAD_HEADER.size:]
    if kind != UDP_SEGMENTS or not size:
        return [frame]
    start = 14 + 4 * (frame[14] & 15) + 8
    return [_datagram(frame[:start], frame[at:at + size])
            for at in range(start, len(frame), size)]


def _datagram(headers, payload):
    out = bytearray(headers)
    udp = len(out) - 8
    struct.pack_into("!H", out, 16, len(out) - 14 + len(payload))
    struct.pack_into("!HH", out, udp + 4, 8 + len(payload), 0)
    struct.pack_into("!H", out, 24, 0)
    struct.pack_into("!H", out, 24, 0xFFFF - header_sum(out[14:udp]))
    return bytes(out) + payload


def write_pcap(path, frames):
    """The frames for other programs, nanosecond times, numbered as here."""
    with open(path, "wb") as target:
        target.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65536, 1))
        for frame in frames:
            seconds, rest = divmod(frame.time, 10**9)
            size = len(frame.data)
            target.write(struct.pack("<IIII", seconds, rest, size, size) + frame.data)


def _stamp(notes):
    for level, kind, data in notes:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, rest = struct.unpack("qq", data[:16])
            return seconds * 10**9 + rest
    return 0


def socket_inside(namespace_path):
    """A packet socket of another network namespace: a socket stays where it was made."""
    library = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(namespace_path, os.O_RDONLY)
    try:
        if library.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace_path}")
        try:
            return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        finally:
            library.setns(home, CLONE_NEWNET)
    finally:
        os.close(there)
        os.close(home)


def mac(octets):
    return ":".join(f"{octet:02x}" for octet in octets)


def dotted(octets):
    return ".".join(map(str, octets))


def checksum_holds(header):
    return header_sum(header) == 0xFFFF


def header_sum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
