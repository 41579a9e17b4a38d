# SPDX-License-Identifier: MIT
"""Finds and builds what is compared: our program and the peers.

A peer is absent when the machine does not have it: the C library does not
link, or the command is not on PATH. A peer that is there and does not build
or run is a failure, never silently left out.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from measure import Failure, first_line


@dataclass
class Program:
    name: str
    version: str
    argv: list  # What stands before the arguments of a case.
    text_kib: float = 0  # Of the workloads that ask for it; see added_text().


# What a program has in it that holds the poller or the network.
NETWORK = re.compile(r"epoll_\w+|accept4?|connect|\w*getaddrinfo|.*Tcp.*|"
                     r"_ZN8tricolor7netpoll\w*Poller.*")


def build_step(argv, cwd, what, env=None):
    """Runs one step of a build; Failure shows the end of what it printed."""
    done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise Failure(f"{what} does not build ({' '.join(argv)}):\n"
                      + done.stdout.strip()[-4000:])
    return done.stdout


def added_text(with_library, without):
    """KiB of text that a library adds to a static link. Failure when the
    poller or the network came with it: whoever wants a heap alone would carry
    these along."""
    names = build_step(["nm", "--defined-only", "--format=just-symbols",
                        str(with_library)], None, f"nm {with_library}").split()
    network = [name for name in names if NETWORK.fullmatch(name)]
    if network:
        raise Failure(f"{with_library} uses the heap alone, and yet there is "
                      + ", ".join(sorted(network)[:8]) + " in it")

    def text(program):
        report = build_step(["size", str(program)], None, f"size {program}")
        return int(report.splitlines()[1].split()[0])

    return (text(with_library) - text(without)) / 1024


class OurProgram:
    """A CMake target of the release preset."""

    def __init__(self, root):
        self.root = root
        self.dir = root / "build" / "release"

    def build(self, target, text=""):
        """The program; with the text of the targets `text`, `text`_none."""
        targets = [target] + ([text, text + "_none"] if text else [])
        self.dir.parent.mkdir(exist_ok=True)
        # The same lock as ./dev, so that two callers may share the tree.
        with open(str(self.dir) + ".lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.dir / "CMakeCache.txt").exists():
                build_step(["cmake", "--preset", "release"], self.root,
                           "the release preset")
            for each in targets:
                try:
                    build_step(["cmake", "--build", str(self.dir), "--target",
                                each], self.root, each)
                except Failure as failure:
                    raise self.explain(each, failure) from None
        paths = [self.dir / "bin" / each for each in targets]
        for path in paths:
            if not path.exists():
                raise Failure(f"{path.name} was built, but {path} does not "
                              "exist")
        return Program("tricolor", "this tree", [str(paths[0])],
                       added_text(*paths[1:]) if text else 0)

    def explain(self, target, failure):
        for sign in (f"unknown target '{target}'",
                     f"No rule to make target '{target}'"):
            if sign in str(failure):
                return Failure(
                    f"our program is missing: no CMake target {target} in "
                    f"{self.dir}, so there is nothing to compare; it is "
                    "declared where its source lies (see bench/README.md)")
        return failure


class CLibrary:
    """A peer that is a C library: found if a small program links and runs."""

    compiler, language, suffix, flags = "cc", "c", ".c", ()

    def __init__(self, libs, header, version):
        self.libs = ["-l" + lib for lib in libs.split()] + ["-pthread"]
        self.header, self.version = header, version

    def find(self):
        if not shutil.which(self.compiler):
            return None
        source = (f"#include <stdio.h>\n#include <{self.header}>\n"
                  f"int main(void) {{ {self.version} return 0; }}\n")
        with tempfile.TemporaryDirectory() as place:
            probe = os.path.join(place, "probe")
            made = subprocess.run(
                [self.compiler, *self.flags, "-x", self.language, "-", "-o",
                 probe, *self.libs],
                input=source, text=True, capture_output=True, check=False)
            return first_line(probe) if made.returncode == 0 else None

    def build(self, name, version, source, out):
        build_step([self.compiler, "-O3", "-DNDEBUG", *self.flags, "-o",
                    str(out), str(source / (name + self.suffix)), *self.libs],
                   source, f"the peer {name}")
        return Program(name, version, [str(out)])

    def text_kib(self, name, source, out):
        """The text of NAME_text.c less that without the library."""
        made = []
        for suffix, flags in (("_text", self.libs),
                              ("_none", ["-DWITHOUT_LIBRARY", "-pthread"])):
            made.append(str(out) + suffix)
            build_step(["cc", "-O3", "-DNDEBUG", "-static", "-o", made[-1],
                        str(source / (name + "_text.c")), *flags],
                       source, f"the peer {name}, static")
        return added_text(*made)


class CxxLibrary(CLibrary):
    """The same in C++. Functions are bound before main: doing that at the first
    call takes more stack than a small fiber has."""

    compiler, language, suffix = "c++", "c++", ".cc"
    flags = ("-std=c++20", "-Wl,-z,now")


class Go:
    """The Go on PATH; the newest wins, so its version is printed."""

    def find(self):
        return first_line("go", "version") if shutil.which("go") else None

    def build(self, name, version, source, out):
        # No other toolchain and no network: a comparison uses what is here.
        env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="", GOPROXY="off")
        build_step(["go", "build", "-o", str(out), "."], source / name,
                   f"the peer {name}", env)
        return Program(name, version, [str(out)])


class Java:
    """A collector of the JDK on PATH, by its flag. All of one workload share
    the classes, which are compiled again when a source is newer."""

    def __init__(self, flag):
        self.flag = flag

    def find(self):
        if not shutil.which("java") or not shutil.which("javac"):
            return None
        return first_line("java", self.flag, "-version")

    def build(self, name, version, source, out):
        classes = out.parent / "java"
        shared = source.parent / "measure" / "java"
        sources = [*(source / "java").iterdir(), *shared.iterdir()]
        made = classes / "Main.class"
        if (not made.exists() or made.stat().st_mtime
                <= max(s.stat().st_mtime for s in sources)):
            build_step(["javac", "-d", str(classes), "-sourcepath",
                        str(shared), str(source / "java" / "Main.java")],
                       source, f"the peer {name}")
        # The program reads its stops there.
        log = out.parent / (name + ".safepoints")
        return Program(name, version,
                       ["java", self.flag, f"-Xlog:safepoint:file={log}",
                        "-cp", str(classes), "Main"])


class Interpreter:
    """A peer that runs the same script as ours: nothing to build."""

    def __init__(self, command, version_flag, flags=()):
        self.command, self.version_flag = command, version_flag
        self.flags = list(flags)

    def find(self):
        if not shutil.which(self.command):
            return None
        return first_line(self.command, self.version_flag)

    def build(self, name, version, source, out):
        del source, out
        return Program(name, version,
                       [shutil.which(self.command)] + self.flags)


class Ourselves:
    """Our own program under another setting, to see what that changes."""

    def __init__(self, target, *settings):
        self.target, self.settings = target, list(settings)

    def find(self):
        return "this tree, " + " ".join(self.settings)

    def build(self, name, version, source, out):
        del source
        program = out.parents[2] / "release" / "bin" / self.target
        return Program(name, version, ["env"] + self.settings + [str(program)])


PEERS = {
    "mimalloc": CLibrary("mimalloc", "mimalloc.h",
                         'printf("mimalloc %d\\n", mi_version());'),
    "glibc": CLibrary("c", "gnu/libc-version.h",
                      'printf("glibc %s\\n", gnu_get_libc_version());'),
    "bdwgc": CLibrary(
        "gc", "gc.h",
        'unsigned v = GC_get_version(); printf("bdwgc %u.%u.%u\\n", v >> 16, '
        "v >> 8 & 255, v & 255);"),
    "boost_fiber": CxxLibrary(
        "boost_fiber boost_context", "boost/version.hpp",
        'printf("Boost %s\\n", BOOST_LIB_VERSION);'),
    "go": Go(),
    "g1": Java("-XX:+UseG1GC"),
    "parallel": Java("-XX:+UseParallelGC"),
    "shenandoah": Java("-XX:+UseShenandoahGC"),
    "zgc": Java("-XX:+UseZGC"),
    "lua5.4": Interpreter("lua5.4", "-v"),
    "luajit": Interpreter("luajit", "-v", ["-joff"]),
    "tlua_1p": Ourselves("tlua", "TRIMAXPROCS=1"),
}


def build_peer(root, workload, name, text=False):
    """The peer's Program, with its text_kib if asked for, or None when this
    machine does not have it."""
    peer = PEERS[name]
    version = peer.find()
    if version is None:
        return None
    out = root / "build" / "peers" / workload / name
    out.parent.mkdir(parents=True, exist_ok=True)
    source = root / "bench" / "peers" / workload
    program = peer.build(name, version, source, out)
    if text:
        program.text_kib = peer.text_kib(name, source, out)
    return program
