"""What is sent through a network: frames of vxgen, TCP, questions and answers, new MACs."""
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

from figures import BenchError, Figure
from machine import CPUMeter

HERE = os.path.dirname(os.path.realpath(__file__))
NEAR, FAR = "02:56:58:00:00:01", "02:56:58:00:00:02"  # behind gen1, behind gen2
BURST = 32                                           # frames that leave together
SEGMENT = 1398                                       # TCP payload of a packet at an MTU of 1450


def inside(lab, role, command, seconds):
    """Runs a command in one namespace to its end."""
    done = subprocess.run(["nsenter", f"--net={lab.path(role)}", *command], capture_output=True,
                          text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-200:]
        raise BenchError(f"{os.path.basename(command[0])}: {said}")
    return done.stdout


@dataclass(frozen=True)
class Trial:
    """One run of the generator at one rate."""
    sent: int
    lost: int
    sent_pps: float
    received_pps: float
    overruns: int
    cpu_ns: float                                    # a frame received, everything on the machine
    others: float                                    # cores that others kept busy meanwhile

    @property
    def loss(self):
        return self.lost / max(self.sent, 1)


class Generator:
    """vxgen between the two ports of the namespace `gen`."""

    def __init__(self, program):
        self.program = program

    def trial(self, lab, rate, seconds, reverse=False, learn=True, target=None, receive=True,
              pin=False):
        """`rate` in frames a second, None for all it can; `target` is another destination MAC.

        With `pin` the sender is on the first core and the receiver on the next.
        """
        first, second = ("gen2", "gen1") if reverse else ("gen1", "gen2")
        source, destination = (FAR, NEAR) if reverse else (NEAR, FAR)
        words = [self.program, "run", "--device", first, "--flows", "1000", "--size", "64",
                 "--rate", f"{rate:.0f}pps" if rate else "max", "--burst", str(BURST),
                 "--duration", f"{seconds * 1000:.0f}ms", "--source-mac", source,
                 "--destination-mac", target or destination, "--json", *["--pin"][:pin]]
        if receive:
            words += ["--receive", second] + (["--learn"] if learn else [])
        meter = CPUMeter()
        said = inside(lab, "gen", words, seconds + 30)
        cpu, others = meter.read()
        totals = json.loads(said.splitlines()[-1])
        received = totals.get("received", {})
        return Trial(totals["sent"]["packets"], totals.get("lost", 0), totals["sent"]["pps"],
                     received.get("pps", 0), totals.get("overruns", 0),
                     cpu * 1e9 / max(received.get("packets", 0), 1), others)


def tcp(field, lab, flows, seconds):
    """iperf3 from red1 to red2: Gbit/s that arrived, CPU time for each full packet of them."""
    field.serve(lab, "red2", "iperf3", "-s")
    seconds = max(1, round(seconds))
    meter = CPUMeter()
    said = inside(lab, "red1", ["iperf3", "-c", "10.1.0.2", "-J", "-t", str(seconds), "-P",
                                str(flows), "--connect-timeout", "3000"], seconds + 15)
    cpu, others = meter.read()
    received = json.loads(said)["end"]["sum_received"]
    packets = max(received["bytes"] / SEGMENT, 1)
    return Figure({"rate": received["bits_per_second"] / 1e9}, cpu * 1e9 / packets, others)


def ping_pong(field, lab, seconds):
    """Questions and answers over UDP, one at a time, from red1 to red2."""
    program = [sys.executable, os.path.join(HERE, "pingpong.py")]
    field.serve(lab, "red2", *program, "answer", "10.1.0.2")
    meter = CPUMeter()
    said = json.loads(inside(lab, "red1", [*program, "ask", "10.1.0.2", f"{seconds}"],
                             seconds + 15))
    cpu, others = meter.read()
    if not said["answers"]:
        raise BenchError("no question was answered")
    lost = (f"{said['lost']} questions lost",) if said["lost"] else ()
    return Figure({"p50": said["p50_us"], "p99": said["p99_us"]}, cpu * 1e9 / said["answers"],
                  others, lost)


class Newcomers:
    """Frames behind red1 at a fixed rate, each from a MAC address of its own, or all from one.

    They go to a MAC address behind the same port, so a gateway learns and lets them go.
    """

    def __init__(self, lab, rate, fresh=True, count=0, first=0):
        words = ["nsenter", f"--net={lab.path('red1')}", sys.executable,
                 os.path.join(HERE, "newcomers.py"), "red1", str(rate), str(count), str(first)]
        self.process = subprocess.Popen([*words, *([] if fresh else ["--same"])],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def wait(self, seconds):
        """For those that have a count."""
        if self.process.wait(seconds):
            raise BenchError(f"newcomers: {self.process.stdout.read()[-200:]}")

    def stop(self):
        """How many frames it has sent, and how many a second."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=10)
        try:
            sent, rate = said.split()[-2:]
            return int(sent), float(rate)
        except ValueError:
            raise BenchError(f"newcomers: {said[-200:]}") from None
