# SPDX-License-Identifier: MIT
"""Runs one program and measures it; asks the host what it is.

Called by compare.py. Nothing here knows about workloads or peers.
"""

import os
import platform
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass


class Failure(Exception):
    """A comparison that cannot go on; the text is for the user."""


@dataclass
class Run:
    wall_s: float
    cpu_s: float
    rss_mib: float
    stdout: bytes

    def checksums(self):
        return [line for line in self.stdout.splitlines()
                if line.startswith(b"checksum ")]

    def metrics(self):
        """What the program measured itself: lines `metric NAME VALUE`."""
        found = {}
        for line in self.stdout.decode(errors="replace").splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == "metric":
                found[words[1]] = float(words[2])
        return found


def run(argv, env, timeout_s):
    """Runs argv to its end. wall_s is monotonic time from before the fork to
    the end, cpu_s and rss_mib are the child's rusage. Raises Failure when the
    program cannot be started, fails, or takes longer than timeout_s."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        try:
            # A group of its own: a timeout ends what it started, too.
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=err, env=env,
                                     start_new_session=True)
        except OSError as error:
            raise Failure(f"cannot start {argv[0]}: {error.strerror}") from None
        late = threading.Event()

        def stop():
            late.set()
            os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(timeout_s, stop)
        timer.start()
        try:
            # WNOWAIT first: until the child is reaped its pid stays taken, so
            # the timer can hit nobody else.
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            wall_s = time.monotonic() - start
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
            timer.join()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        check_exit(argv, child.returncode, late.is_set(), timeout_s, err.read())
        return Run(wall_s, usage.ru_utime + usage.ru_stime,
                   usage.ru_maxrss / 1024, out.read())


def check_exit(argv, code, late, timeout_s, stderr):
    if code == 0:
        return
    if late:
        what = f"took longer than {timeout_s} s"
    elif code < 0:
        what = f"was killed by {signal.Signals(-code).name}"
    else:
        what = f"exited with {code}"
    tail = stderr.decode(errors="replace").strip()[-2000:]
    raise Failure(f"{' '.join(argv)} {what}" + (f":\n{tail}" if tail else ""))


def restrict_cpus(count):
    """Puts this process, and so all programs, on the first `count` of its
    CPUs. Returns the set."""
    cpus = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, cpus)
    return cpus


def steal_ms():
    """CPU time the hypervisor gave to others since boot, all CPUs."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = int(stat.readline().split()[8])
    return ticks * 1000 // os.sysconf("SC_CLK_TCK")


def rss_floor_mib():
    """The smallest rss_mib this process can report: Linux carries the peak of
    the forked image over exec."""
    return run([shutil.which("true") or "/bin/true"], None, 10).rss_mib


def first_line(*argv):
    """The first line argv prints, or None if it cannot be run."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = (done.stdout + done.stderr).strip()
    return text.splitlines()[0] if done.returncode == 0 and text else None


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def host_facts(root):
    """What a reader of a number needs to know about where it was taken."""
    git = ("git", "-C", str(root))
    return {
        "commit": first_line(*git, "rev-parse", "HEAD"),
        "tree_changed": first_line(*git, "status", "--porcelain") is not None,
        "cpu": cpu_model(),
        "kernel": platform.release(),
        "cc": first_line("cc", "--version"),
        "cxx": first_line("c++", "--version"),
        "memory_mib": os.sysconf("SC_PHYS_PAGES")
                      * resource.getpagesize() // 2**20,
    }
