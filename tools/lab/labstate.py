"""One lab on this machine: its namespaces, its running gateways, and how all of it goes away.

Everything a lab makes is written down in /run/vxgate-lab/NAME before it is used, so that `down`
finds it from another process, or after a crash of the one that made it.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time

STATE = "/run/vxgate-lab"
NAMESPACES = "/run/netns"
STOP_SECONDS = 10
COMMAND_SECONDS = 20


class LabError(Exception):
    """One line for the person at the terminal: what happened and what to do."""


def names():
    """The labs that stand."""
    try:
        return sorted(name for name in os.listdir(STATE)
                      if os.path.exists(os.path.join(STATE, name, "lab.json")))
    except FileNotFoundError:
        return []


class Lab:
    """Namespaces by role and vxgate processes by name, mirrored in a file."""

    def __init__(self, name):
        self.name = name
        self.directory = os.path.join(STATE, name)
        self.about = ""
        self.roles = {}                              # role -> name of the namespace
        self.gateways = {}                           # gateway -> pid, started, socket, log, ...

    # ---- life

    @classmethod
    def create(cls, name):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,15}", name):
            raise LabError(f"'{name}' cannot name a lab: use up to 16 of a-z, 0-9 and -")
        lab = cls(name)
        if os.path.exists(os.path.join(lab.directory, "lab.json")):
            raise LabError(f"{name} stands already: take it down with `lab down {name}`")
        try:
            os.makedirs(lab.directory, exist_ok=True)
        except OSError as error:
            raise LabError(f"cannot write {STATE}: {error.strerror}: run it as root or inside "
                           "`tools/lab/lab shell`") from None
        lab.save()
        return lab

    @classmethod
    def load(cls, name):
        lab = cls(name)
        try:
            with open(os.path.join(lab.directory, "lab.json")) as source:
                kept = json.load(source)
        except FileNotFoundError:
            raise LabError(f"there is no lab {name}: `lab list` names those that stand") from None
        lab.about, lab.roles, lab.gateways = kept["about"], kept["roles"], kept["gateways"]
        return lab

    def save(self):
        text = json.dumps({"about": self.about, "roles": self.roles, "gateways": self.gateways})
        path = os.path.join(self.directory, "lab.json")
        with open(f"{path}.new", "w") as target:
            target.write(text)
        os.replace(f"{path}.new", path)

    def down(self):
        """Processes first, so that their taps are gone before the namespaces that hold them."""
        for name in self.gateways:
            self.stop(name)
        for name in self.roles.values():
            if os.path.exists(os.path.join(NAMESPACES, name)):
                _end_processes(name)
                run(["ip", "netns", "delete", name], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- namespaces

    def path(self, role):
        if role not in self.roles:
            raise LabError(f"lab {self.name} has no {role}: it has {' '.join(sorted(self.roles))}")
        return os.path.join(NAMESPACES, self.roles[role])

    def namespace(self, role):
        """Makes the namespace of a role, quiet: no IPv6 chatter and no path filter."""
        self.roles[role] = f"vxl-{self.name}-{role}"
        self.save()
        run(["ip", "netns", "add", self.roles[role]])
        quiet = ("for key in ipv6/conf/all/disable_ipv6 ipv6/conf/default/disable_ipv6; do "
                 "echo 1 2>/dev/null > /proc/sys/net/$key; done; "
                 "echo 0 2>/dev/null > /proc/sys/net/ipv4/conf/all/rp_filter; ip link set lo up")
        self.inside(role, ["sh", "-c", quiet])

    def inside(self, role, command, check=True):
        return run(["nsenter", f"--net={self.path(role)}", *command], check=check)

    def ip(self, role, *lines):
        """`ip` commands, one a line, in one process."""
        run(["nsenter", f"--net={self.path(role)}", "ip", "-batch", "-"], "\n".join(lines) + "\n")

    def await_device(self, role, device, seconds=5):
        limit = time.monotonic() + seconds
        while self.inside(role, ["ip", "link", "show", device], check=False).returncode:
            if time.monotonic() > limit:
                raise LabError(f"{role}: the device {device} did not appear in {seconds} s")
            time.sleep(0.05)

    # ---- gateways

    def start(self, name, binary, text):
        """Runs vxgate in the namespace `name` on a configuration text; returns once it answers."""
        files = {kind: os.path.join(self.directory, f"{name}.{kind}") for kind in ("yaml", "log")}
        socket = os.path.join(self.directory, name, "control.sock")
        with open(files["yaml"], "w") as target:
            target.write(text)
        with open(files["log"], "ab") as log:
            process = subprocess.Popen(
                ["nsenter", f"--net={self.path(name)}", binary, "run", "--config", files["yaml"]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.gateways[name] = {"pid": process.pid, "started": _started(process.pid),
                               "binary": binary, "socket": socket, "log": files["log"],
                               "config": files["yaml"]}
        self.save()
        self._await(name, process)

    def _await(self, name, process, seconds=10):
        gateway = self.gateways[name]
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if process.poll() is not None:
                raise LabError(f"{name}: vxgate ended at once with status {process.returncode}:\n"
                               + self.log_tail(name))
            if os.path.exists(gateway["socket"]):
                answer = run([gateway["binary"], "show", "version", "--socket", gateway["socket"]],
                             check=False)
                if answer.returncode == 0:
                    return
            time.sleep(0.05)
        raise LabError(f"{name}: vxgate did not answer in {seconds} s:\n" + self.log_tail(name))

    def log_tail(self, name, lines=12):
        with open(self.gateways[name]["log"], errors="replace") as source:
            return "".join(f"    {line}" for line in source.readlines()[-lines:]).rstrip()

    def is_running(self, name):
        gateway = self.gateways[name]
        return _started(gateway["pid"]) == gateway["started"]

    def stop(self, name):
        """SIGTERM, and SIGKILL for one that does not listen."""
        pid = self.gateways[name]["pid"]
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 2)):
            if not self.is_running(name):
                return
            os.kill(pid, number)
            limit = time.monotonic() + seconds
            while self.is_running(name) and time.monotonic() < limit:
                time.sleep(0.02)


def run(command, text=None, check=True):
    """A short command with its output; a failing one becomes a LabError with its last words."""
    done = subprocess.run(command, input=text, capture_output=True, text=True,
                          timeout=COMMAND_SECONDS)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip() or f"status {done.returncode}"
        hint = ": run it as root or inside `tools/lab/lab shell`" if os.geteuid() else ""
        raise LabError(f"{' '.join(command)}: {said}{hint}")
    return done


def _started(pid):
    """When a process began, in ticks since boot; None for one that ended (a pid may be reused)."""
    try:
        with open(f"/proc/{pid}/stat") as source:
            fields = source.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _end_processes(namespace):
    """Ends what was left running inside a namespace of ours: a server started by `lab exec`."""
    listed = run(["ip", "netns", "pids", namespace], check=False).stdout.split()
    for pid in map(int, listed):
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
