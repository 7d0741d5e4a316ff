"""Open vSwitch with its userspace datapath, one a namespace, each in a folder of its own."""
import os
import shutil
import subprocess
import time

from figures import BenchError
from labstate import run

PACKAGE = "openvswitch-switch"
PROGRAMS = ("ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-appctl", "ovs-ofctl")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
MACS = 1 << 18                                       # room of a bridge for MAC addresses


def missing(say):
    """Why there is no Open vSwitch here, or None. Root has it installed."""
    if all(map(shutil.which, PROGRAMS)):
        return None
    if os.geteuid():
        return f"{PACKAGE} is not installed, and only root may install it"
    if not shutil.which("apt-get"):
        return f"{PACKAGE} is not installed, and there is no apt-get"
    say(f"installing {PACKAGE}; the service that comes with it is not used")
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", PACKAGE]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (install, ["apt-get", "-qq", "update"], install):
        try:
            subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=300)
        except subprocess.TimeoutExpired:
            return f"apt-get could not install {PACKAGE} in 300 s"
        if all(map(shutil.which, PROGRAMS)):
            return None
    return f"apt-get could not install {PACKAGE}"


def version():
    return run(["ovs-vswitchd", "--version"], check=False).stdout.split("\n")[0].split()[-1]


class Switch:
    """The daemons of one gateway of a lab. They are our children and end with `stop`."""

    def __init__(self, lab, role):
        self.lab, self.role, self.processes = lab, role, []
        self.folder = os.path.join(lab.directory, f"{role}-ovs")
        os.makedirs(self.folder)
        self.environment = {**os.environ, **{f"OVS_{kind}DIR": self.folder
                                             for kind in ("RUN", "LOG", "DB", "SYSCONF")}}
        run(["ovsdb-tool", "create", self._path("conf.db"), SCHEMA])
        try:
            self._start("ovsdb-server", self._path("conf.db"), f"--remote=punix:{self._path('db')}")
            self._await("db")
            self.vsctl("--no-wait", "init")
            self.pid = self._start("ovs-vswitchd", f"unix:{self._path('db')}")
            self._await("ovs-vswitchd.ctl")
        except BaseException:
            self.stop()
            raise

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _start(self, program, *words):
        with open(self._path(f"{program}.log"), "ab") as log:
            process = subprocess.Popen(
                ["nsenter", f"--net={self.lab.path(self.role)}", program, *words,
                 f"--unixctl={self._path(f'{program}.ctl')}", "-vconsole:warn", "-vsyslog:off"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                start_new_session=True)
        self.processes.append(process)
        return process.pid

    def _await(self, name, seconds=10):
        limit = time.monotonic() + seconds
        while not os.path.exists(self._path(name)):
            if time.monotonic() > limit or self.processes[-1].poll() is not None:
                raise BenchError(f"Open vSwitch did not start, see {self.folder}")
            time.sleep(0.02)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    # ---- what it forwards

    def _run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=30,
                              env=self.environment)
        if done.returncode:
            raise BenchError(f"{' '.join(command)}: {done.stderr.strip()[-200:]}")
        return done.stdout

    def vsctl(self, *words):
        return self._run("ovs-vsctl", f"--db=unix:{self._path('db')}", "--timeout=20", *words)

    def appctl(self, *words):
        return self._run("ovs-appctl", f"--target={self._path('ovs-vswitchd.ctl')}", *words)

    def flow(self, bridge, flow):
        self._run("ovs-ofctl", "add-flow", f"unix:{self._path(f'{bridge}.mgmt')}", flow)

    def underlay(self, address, mac, neighbors):
        """Takes over the device `under`; `neighbors` are addresses with their MAC addresses."""
        self.lab.ip(self.role, "addr flush dev under")
        self._bridge("phy", mac)
        self.vsctl("add-port", "phy", "under")
        self.lab.ip(self.role, f"addr add {address}/16 dev phy", "link set phy up")
        self.appctl("ovs/route/show")
        for far, far_mac in neighbors:
            self.appctl("tnl/arp/set", "phy", far, far_mac)

    def network(self, name, vni, device, peers):
        """One VXLAN: a bridge with an access port and a tunnel to each peer."""
        self._bridge(name)
        words = ["add-port", name, device]
        for number, peer in enumerate(peers):
            port = f"{name}{number}"
            words += ["--", "add-port", name, port, "--", "set", "interface", port, "type=vxlan",
                      f"options:remote_ip={peer}", f"options:key={vni}"]
        self.vsctl(*words)

    def _bridge(self, name, mac=None):
        settings = [f"other_config:mac-table-size={MACS}"]
        if mac:
            settings.append(f'other_config:hwaddr="{mac}"')
        self.vsctl("add-br", name, "--", "set", "bridge", name, "datapath_type=netdev", *settings)
