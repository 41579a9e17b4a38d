# SPDX-License-Identifier: MIT
"""The table of workloads: what runs, against whom, and what is measured.

A new workload is one entry here, our program (a CMake target), and one source
per peer under bench/peers/<workload>/. bench/README.md defines the metrics.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """`source` is wall_s, cpu_s or rss_mib (measured by the runner), or the
    name in a `metric NAME VALUE` line of the program (default: `name`)."""
    name: str
    source: str = ""
    better: str = "lower"


@dataclass(frozen=True)
class Case:
    """One invocation: its arguments, those of --smoke, and its metrics.
    {root} in an argument is the root of the tree."""
    args: tuple
    smoke_args: tuple
    metrics: tuple


@dataclass(frozen=True)
class Workload:
    target: str            # CMake target and program of ours.
    peers: tuple           # Names in programs.PEERS.
    cases: dict            # Name -> Case.
    compare: str = "checksum"   # What must be equal: checksum lines | stdout.
    geomean: bool = False  # Add a line over the first metric of every case.
    cpus: int = 2          # How many CPUs all programs share.
    env: dict = field(default_factory=dict)
    timeout_s: int = 600   # For one run of one program.


def lua_script(name, args=(), smoke_args=()):
    """A script of examples/lua/scripts, measured as a whole process."""
    script = ("{root}/examples/lua/scripts/" + name + ".lua",)
    return Case(args=script + args, smoke_args=script + smoke_args,
                metrics=(Metric(name + "_s", "wall_s"),))


WORDS = "{root}/examples/lua/scripts/data/words.txt"

WORKLOADS = {
    "binary_trees": Workload(
        target="bench_binary_trees",
        peers=("mimalloc", "go", "bdwgc"),
        env={"TRIMAXPROCS": "2", "GOMAXPROCS": "2"},
        cases={"trees": Case(
            args=("21",), smoke_args=("10",),
            metrics=(Metric("wall_s", "wall_s"), Metric("cpu_s", "cpu_s"),
                     Metric("rss_mib", "rss_mib")))},
    ),
    "lua_tasks": Workload(
        target="tlua",
        peers=("tlua_1p",),
        compare="stdout",
        env={"TRIMAXPROCS": "2"},
        cases={"parallel": lua_script("parallel", ("20000",), ("20",))},
    ),
    "lua": Workload(
        target="tlua",
        peers=("lua5.4", "luajit"),
        compare="stdout",
        geomean=True,
        cases={
            "binary_trees": lua_script("binary_trees", ("15",), ("7",)),
            "nbody": lua_script("nbody", ("1000000",), ("1000",)),
            "spectral_norm": lua_script("spectral_norm", ("400",), ("20",)),
            "fannkuch": lua_script("fannkuch", ("9",), ("6",)),
            # 9 queens take 6 ms, most of it starting the process.
            "n_queens": lua_script("n_queens", ("12",), ("6",)),
            "string_buffer": lua_script("string_buffer", ("400",), ("3",)),
            "table_sort": lua_script("table_sort", ("100000",), ("1000",)),
            "word_count": lua_script("word_count", (WORDS, "60"), (WORDS, "1")),
            "closures": lua_script("closures", ("1000000",), ("1000",)),
            "coroutine_ring": lua_script("coroutine_ring", ("1500000",),
                                         ("5000",)),
        },
    ),
}
