#!/usr/bin/env python3
"""ARP traffic by raw sockets, for tests; run it inside a namespace with `lab exec`.

    arptraffic.py flood DEVICE --subnet A.B.C --rate N --seconds S    many senders, many targets
    arptraffic.py ask DEVICE --target ADDRESS --seconds S             a fresh question every 50 ms
    arptraffic.py watch DEVICE --target ADDRESS --seconds S           questions for one address
    arptraffic.py flap DEVICE --mac MAC --count N                     frames of one source MAC

The last line of the output is JSON.
"""
import argparse
import ctypes
import fcntl
import json
import random
import socket
import struct
import sys
import time

ARP = 0x0806
REQUEST, REPLY = 1, 2
BROADCAST = b"\xff" * 6
NOBODY = bytes(6)


def frame(operation, source, sender, target_mac, target, destination=BROADCAST):
    ethernet = destination + source + struct.pack("!H", ARP)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + source + sender + target_mac + target
    return (ethernet + body).ljust(60, b"\0")


def opened(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP))
    sock.bind((device, ARP))
    return sock


def ioctl(device, request):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, request, struct.pack("256s", device.encode()))


def own(device):
    """MAC and IPv4 address of a device."""
    return ioctl(device, 0x8927)[18:24], ioctl(device, 0x8915)[20:24]


class Message(ctypes.Structure):
    """struct mmsghdr."""
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32),
                ("vector", ctypes.c_void_p), ("vectors", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("unused", ctypes.c_int),
                ("sent", ctypes.c_uint)]


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def batches(frames, size):
    """Arrays for sendmmsg; what they point to stays with them."""
    made = []
    for start in range(0, len(frames), size):
        part = frames[start:start + size]
        buffers = [ctypes.create_string_buffer(data, len(data)) for data in part]
        vectors = (Vector * len(part))(*[
            Vector(ctypes.addressof(buffer), len(buffer)) for buffer in buffers])
        messages = (Message * len(part))()
        for index, message in enumerate(messages):
            message.vector = ctypes.addressof(vectors[index])
            message.vectors = 1
        made.append((messages, vectors, buffers))
    return made


def flood_frames(subnet, count, seed):
    """Questions for the gateway and for absent machines, announcements as questions and answers.

    Machines of the labs have low host numbers; nobody's address is taken.
    """
    chance = random.Random(seed)
    network = bytes(int(part) for part in subnet.split("."))
    gateway = network + b"\x01"
    frames = []
    for _ in range(count):
        source = b"\x02\xf0" + chance.randbytes(4)
        sender = network + bytes([chance.randint(64, 250)])
        other = network + bytes([chance.randint(64, 250)])
        frames.append(chance.choice([
            frame(REQUEST, source, sender, NOBODY, gateway),
            frame(REQUEST, source, sender, NOBODY, other),
            frame(REQUEST, source, sender, NOBODY, sender),
            frame(REPLY, source, sender, source, sender),
        ]))
    return frames


def flood(options):
    sock = opened(options.device)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    library = ctypes.CDLL(None, use_errno=True)
    size = 64
    rows = batches(flood_frames(options.subnet, 8192, options.seed), size)
    sent = refused = turn = 0
    start = time.monotonic()
    while (now := time.monotonic()) < start + options.seconds:
        if sent + refused >= (now - start) * options.rate:
            time.sleep(0.0002)
            continue
        done = library.sendmmsg(sock.fileno(), rows[turn % len(rows)][0], size, 0)
        turn += 1
        sent += max(done, 0)
        refused += size - max(done, 0)
    seconds = time.monotonic() - start
    return {"sent": sent, "refused": refused, "pps": sent / seconds}


def ask(options):
    """Each question has a while to be answered; the answer must be for this very machine."""
    sock = opened(options.device)
    mac, address = own(options.device)
    target = socket.inet_aton(options.target)
    question = frame(REQUEST, mac, address, NOBODY, target)
    latencies, unanswered = [], 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        asked = time.monotonic()
        sock.send(question)
        answered = None
        while answered is None and (left := asked + 1 - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data = sock.recv(2048)
            except TimeoutError:
                break
            if data[20:22] == b"\0\x02" and data[28:32] == target and data[0:6] == mac:
                answered = time.monotonic() - asked
        if answered is None:
            unanswered += 1
        else:
            latencies.append(answered * 1000)
        time.sleep(max(0, asked + 0.05 - time.monotonic()))
    latencies.sort()
    return {"asked": len(latencies) + unanswered, "unanswered": unanswered,
            "median_ms": latencies[len(latencies) // 2] if latencies else None,
            "max_ms": latencies[-1] if latencies else None}


def watch(options):
    sock = opened(options.device)
    target = socket.inet_aton(options.target)
    seen = []
    start = time.monotonic()
    print("watching", flush=True)
    while (left := start + options.seconds - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(2048)
        except TimeoutError:
            break
        if data[20:22] == b"\0\x01" and data[38:42] == target:
            seen.append({"at": time.monotonic() - start, "sender": socket.inet_ntoa(data[28:32])})
    return {"questions": seen}


def flap(options):
    sock = opened(options.device)
    mac = bytes.fromhex(options.mac.replace(":", ""))
    data = (BROADCAST + mac + b"\x99\x99").ljust(60, b"\0")
    for _ in range(options.count):
        sock.send(data)
    return {"sent": options.count}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in (flood, ask, watch, flap):
        one = verbs.add_parser(verb.__name__)
        one.set_defaults(run=verb)
        one.add_argument("device")
        one.add_argument("--seconds", type=float, default=5)
        one.add_argument("--target")
        one.add_argument("--subnet", help="the first three bytes of a /24")
        one.add_argument("--rate", type=float, default=100_000, help="frames a second")
        one.add_argument("--seed", type=int, default=1)
        one.add_argument("--mac")
        one.add_argument("--count", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = arguments()
    print(json.dumps(chosen.run(chosen)))
    sys.exit(0)
