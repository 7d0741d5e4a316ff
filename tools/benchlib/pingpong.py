"""One end of a conversation over UDP: asks, waits for the answer, asks again. Prints JSON.

    pingpong.py answer ADDRESS | pingpong.py ask ADDRESS SECONDS
"""
import json
import socket
import sys
import time

PORT, QUESTION = 7007, b"?" * 64


def answer(address):
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind((address, PORT))
    while True:
        end.sendto(*end.recvfrom(2048))


def ask(address, seconds):
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.settimeout(0.5)
    end.connect((address, PORT))
    taken, lost = [], 0
    for warm in (True, False):
        taken, lost = [], 0
        limit = time.monotonic() + (0.1 if warm else seconds)
        while time.monotonic() < limit:
            asked = time.perf_counter_ns()
            try:
                end.send(QUESTION)
                end.recv(2048)
                taken.append((time.perf_counter_ns() - asked) / 1000)
            except OSError:
                lost += 1
    taken.sort()
    place = [taken[int(len(taken) * part)] if taken else None for part in (0.5, 0.99)]
    print(json.dumps({"answers": len(taken), "lost": lost, "p50_us": place[0],
                      "p99_us": place[1]}))


if __name__ == "__main__":
    if sys.argv[1] == "answer":
        answer(sys.argv[2])
    else:
        ask(sys.argv[2], float(sys.argv[3]))
