"""Sends small frames at a fixed rate, each with a source MAC of its own; ends with SIGINT.

    newcomers.py DEVICE RATE COUNT FIRST [--same]

COUNT 0 goes on for two minutes at most. FIRST is the number of the first MAC address; with --same
all frames have one. The destination is a MAC behind the same device. Prints how many, and the rate.
"""
import signal
import socket
import sys
import time

STATION = bytes.fromhex("025658fffffe")              # it says where it is before anything else
FRAME_END = b"\x88\xb5" + bytes(46)                  # an EtherType for experiments
LIMIT_SECONDS = 120


def main():
    device, rate, count, first = sys.argv[1], *map(int, sys.argv[2:5])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    end.bind((device, 0))
    end.send(bytes.fromhex("025658fffffd") + STATION + FRAME_END)
    started, sent = time.monotonic(), 0
    try:
        while (not count or sent < count) and time.monotonic() < started + LIMIT_SECONDS:
            due = int((time.monotonic() - started) * rate) + 1
            for _ in range(min(due, count or due) - sent):
                number = first + (0 if "--same" in sys.argv else sent)
                end.send(STATION + b"\x06\x56" + number.to_bytes(4, "big") + FRAME_END)
                sent += 1
            time.sleep(0.002)
    except KeyboardInterrupt:
        pass
    print(sent, round(sent / max(time.monotonic() - started, 1e-9)))


if __name__ == "__main__":
    main()
