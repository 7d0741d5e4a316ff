"""What machine this is, and the CPU time and memory that things on it take."""
import datetime
import os
import platform
import resource
import subprocess
import time

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def describe(root):
    """Names the machine; a figure without this means nothing."""
    model, memory, virtual = "unknown", 0, False
    with open("/proc/cpuinfo") as source:
        for line in source:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            virtual = virtual or key.strip() == "flags" and " hypervisor" in value
    with open("/proc/meminfo") as source:
        memory = int(source.readline().split()[1]) / 2 ** 20
    done = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty", "--exclude=*"],
                          capture_output=True, text=True)
    return {"cpu": model, "cores": os.cpu_count(), "virtual": virtual,
            "memory_gib": round(memory, 1), "kernel": platform.release(),
            "load_at_start": round(os.getloadavg()[0], 1), "commit": done.stdout.strip(),
            "date": datetime.date.today().isoformat()}


def confine(pid, cores):
    """Keeps all threads of a process, and those that they start, on these cores."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            os.sched_setaffinity(int(thread), cores)
        except ProcessLookupError:
            continue                                 # it has ended meanwhile


def _processes():
    """pid -> (parent, is a kernel thread, CPU seconds with those of its dead children)."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as source:
                fields = source.read().rpartition(")")[2].split()
        except OSError:
            continue
        kernel = int(fields[6]) & 0x00200000 != 0    # PF_KTHREAD
        found[int(name)] = (int(fields[1]), kernel, sum(map(int, fields[11:15])) * TICK)
    return found


def _is_ours(pid, processes):
    """Whether this program started it, however far down."""
    while pid in processes:
        if pid == os.getpid():
            return True
        pid = processes[pid][0]
    return False


class CPUMeter:
    """CPU seconds of the whole machine since it was made, less those of other people's processes.

    A packet's work in the kernel is done in whatever runs on that core, also in none: only the
    machine as a whole has all of it. Kernel threads count as ours.
    """

    def __init__(self):
        self.started = time.monotonic()
        self._busy, self._foreign = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat") as source:
            user, nice, system, _, _, irq, softirq = map(int, source.readline().split()[1:8])
        processes = _processes()
        foreign = sum(seconds for pid, (_, kernel, seconds) in processes.items()
                      if not kernel and not _is_ours(pid, processes))
        return (user + nice + system + irq + softirq) * TICK, foreign

    def read(self):
        """(CPU seconds of ours, cores that others kept busy)."""
        busy, foreign = self._read()
        others = max(0, foreign - self._foreign)
        elapsed = max(time.monotonic() - self.started, TICK)
        return max(0, busy - self._busy - others), others / elapsed


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as source:
            return source.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def cpu_seconds(pid):
    """Of a process and all its threads, to the nanosecond."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as source:
                total += int(source.read().split()[0])
        except OSError:
            pass
    return total / 1e9


def softirq_seconds():
    """Of the kernel's own threads for packets that nobody's process had time for."""
    total = 0
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/comm") as source:
                if source.read().startswith("ksoftirqd/"):
                    total += cpu_seconds(int(name))
        except (OSError, ValueError):
            pass
    return total


def children_seconds():
    """Of the processes this program has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as source:
        return int(source.read().split()[1]) * PAGE


def bridge_entry_bytes():
    """What the kernel takes for one entry of a bridge's FDB; None where it does not say."""
    for cache in ("net_bridge_fdb_entry", "bridge_fdb_cache"):
        try:
            with open(f"/sys/kernel/slab/{cache}/slab_size") as source:
                return int(source.read())
        except (OSError, ValueError):
            pass
    return None
