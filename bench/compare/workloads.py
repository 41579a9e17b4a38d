# SPDX-License-Identifier: MIT
"""The table of workloads: what runs, against whom, and what is measured.

A new workload is one entry here, our program (a CMake target), and one source
per peer under bench/peers/<workload>/. bench/README.md defines the metrics.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """`source` is wall_s, cpu_s, rss_mib or text_kib (measured by the runner),
    or the name in a `metric NAME VALUE` line of the program (default: `name`).
    `peers`: those that have such a number (default: all of the workload).
    `at_most`: a median above it does not count, and the report says so."""
    name: str
    source: str = ""
    better: str = "lower"
    peers: tuple = None
    at_most: float = None

    def of(self, program):
        """Whether the program of that name has this metric."""
        return (program == "tricolor" or self.peers is None
                or program in self.peers)


@dataclass(frozen=True)
class Case:
    """One invocation: its arguments, those of --smoke (None: not then), its
    metrics, and what it adds to the environment of the workload. {root} in an
    argument is the root of the tree."""
    args: tuple
    smoke_args: tuple
    metrics: tuple
    env: dict = field(default_factory=dict)


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
    text: str = ""         # CMake target of ours whose text is text_kib.


def lua_script(name, args=(), smoke_args=()):
    """A script of examples/lua/scripts, measured as a whole process."""
    script = ("{root}/examples/lua/scripts/" + name + ".lua",)
    return Case(args=script + args, smoke_args=script + smoke_args,
                metrics=(Metric(name + "_s", "wall_s"),))


def alloc_size(name, size, count, smoke_count, at_most=16, **env):
    """A size of the workload alloc, on one P; after `count` objects there must
    have been 50 collections."""
    return Case(
        args=(str(size), str(count), "50"),
        smoke_args=(str(size), str(smoke_count), "0"),
        metrics=(Metric(f"alloc_{name}_ns", "cpu_ns"),
                 Metric(f"alloc_{name}_rss_mib", "rss_over_empty_mib",
                        at_most=at_most)),
        env={"TRIMAXPROCS": "1", "GOMAXPROCS": "1", "GC_MARKERS": "1", **env})


def mark_shape(shape, count):
    """A shape of the workload mark, on one P, ten collections."""
    return Case(
        args=(shape, str(count), "10"), smoke_args=(shape, "1023", "1"),
        metrics=(Metric(f"{shape}_ns", "mark_ns", peers=()),
                 Metric(f"{shape}_full_ns", "full_ns")),
        env={"TRIMAXPROCS": "1", "GOMAXPROCS": "1", "GC_MARKERS": "1"})


def fixed_heap(live_bytes, args, smoke_args):
    """The cases of a workload in a heap of 2 and 4 times what one mutator keeps
    alive, for each of 1 and 2 mutators: arguments are MUTATORS HEAP_BYTES and
    `args`. Whose limit is soft says what was resident at most."""
    cases = {}
    for times in (2, 4):
        for mutators in (1, 2):
            name = f"{times}x_{mutators}m"
            heap = str(live_bytes * times * mutators)
            cases[name] = Case(
                args=(str(mutators), heap) + args,
                smoke_args=((str(mutators), str(1 << 24)) + smoke_args
                            if times == 2 * mutators else None),
                metrics=(Metric(f"wall_s_{name}", "work_s"),
                         Metric(f"pause_max_us_{name}", "pause_max_us"),
                         Metric(f"gap_max_us_{name}", "gap_max_us"),
                         Metric(f"peak_over_heap_{name}", "peak_over_heap",
                                peers=("go",), at_most=1)),
                env={"TRIGC": "off", "TRIMEMLIMIT": heap, "GOGC": "off",
                     "GOMEMLIMIT": heap, "GC_MAXIMUM_HEAP_SIZE": heap,
                     "JDK_JAVA_OPTIONS": "-Xmx" + heap})
    return cases


def sched_mode(mode, procs, a, b, smoke, *metrics):
    """A mode of the workload sched on so many Ps; `smoke` are its a and b of
    --smoke."""
    return Case(args=(mode, str(procs), str(a), str(b)),
                smoke_args=(mode, str(procs), str(smoke[0]), str(smoke[1])),
                metrics=metrics)


# What only a scheduler with time slices can be asked.
SLICES = ("go",)

TWO_PROCS = {"TRIMAXPROCS": "2", "GOMAXPROCS": "2"}

WORDS = "{root}/examples/lua/scripts/data/words.txt"

WORKLOADS = {
    "binary_trees": Workload(
        target="bench_binary_trees",
        peers=("mimalloc", "go", "bdwgc"),
        env=TWO_PROCS,
        cases={"trees": Case(
            args=("21",), smoke_args=("10",),
            metrics=(Metric("wall_s", "wall_s"), Metric("cpu_s", "cpu_s"),
                     Metric("rss_mib", "rss_mib")))},
    ),
    "alloc": Workload(
        target="bench_alloc",
        peers=("mimalloc", "glibc", "go", "bdwgc"),
        cases={
            "16": alloc_size("16", 16, 30_000_000, 20_000),
            "32": alloc_size("32", 32, 30_000_000, 20_000),
            "64": alloc_size("64", 64, 30_000_000, 20_000),
            "128": alloc_size("128", 128, 30_000_000, 20_000),
            "1k": alloc_size("1k", 1 << 10, 4_000_000, 20_000),
            # 8 MiB live: within 16 MiB only if the heap grows by less than
            # its own size.
            "8k": alloc_size("8k", 8 << 10, 500_000, 5_000, TRIGC="50",
                             GOGC="50"),
            # 1 GiB live, and a collection comes after as much again.
            "1m": alloc_size("1m", 1 << 20, 48_000, 200, at_most=None),
            "scale": Case(args=("scale", "30000000"),
                          smoke_args=("scale", "20000"),
                          metrics=(Metric("scale_2", better="higher"),)),
        },
    ),
    "mark": Workload(
        target="bench_mark",
        peers=("go", "bdwgc"),
        cases={
            "tree": mark_shape("tree", (1 << 23) - 1),
            "random": mark_shape("random", 4_000_000),
            "list": mark_shape("list", 2_000_000),
            "fan8": mark_shape("fan8", 4_000_000),
            "scale": Case(args=("scale", str((1 << 23) - 1), "10"),
                          smoke_args=("scale", "1023", "1"),
                          metrics=(Metric("scale_2", better="higher",
                                          peers=()),)),
        },
    ),
    "fragmentation": Workload(
        target="bench_fragmentation",
        peers=("mimalloc", "glibc", "go", "bdwgc"),
        env={"TRIGC": "50", "GOGC": "50"},
        cases={"churn": Case(
            args=("49152", "12", "2000"), smoke_args=("1000", "2", "10"),
            metrics=(Metric("rss_over_live"), Metric("rss_over_live_peak"),
                     Metric("rss_over_live_half"),
                     Metric("rss_over_marked", peers=())))},
    ),
    "gcbench": Workload(
        target="bench_gcbench",
        peers=("go", "bdwgc", "g1", "parallel"),
        env=TWO_PROCS,
        # Two trees of depth 16 at 32 B a node, and 500,000 doubles.
        cases=fixed_heap(2 * 131071 * 32 + 4_000_000, ("16", "500000"),
                         ("6", "1000")),
    ),
    "quads": Workload(
        target="bench_quads",
        peers=("go", "bdwgc", "g1", "parallel"),
        env=TWO_PROCS,
        # A quad tree of depth 10 at 32 B a node.
        cases=fixed_heap(1_398_101 * 32, ("10",), ("4",)),
    ),
    "message_window": Workload(
        target="bench_message_window",
        peers=("go", "bdwgc", "g1", "zgc", "shenandoah"),
        env=TWO_PROCS,
        cases={"window": Case(
            args=("200000", "3000000"), smoke_args=("500", "5000"),
            metrics=(Metric("push_p50_ns"), Metric("push_p99_ns"),
                     Metric("push_p999_ns"), Metric("push_p9999_ns"),
                     Metric("push_max_ns"), Metric("wall_s", "work_s")))},
    ),
    "pauses": Workload(
        target="bench_pauses",
        peers=("go",),
        env=TWO_PROCS,
        timeout_s=1800,
        cases={"stops": Case(
            args=(str(1 << 30), "10000", "200", "10"),
            smoke_args=(str(1 << 20), "100", "5", "100"),
            metrics=(Metric("stop_p99_us"), Metric("stop_max_us"),
                     Metric("ttsp_p99_us"), Metric("gap_max_us")))},
    ),
    "sched": Workload(
        target="bench_sched",
        peers=("go", "boost_fiber"),
        cases={
            "yield": sched_mode("yield", 1, 10_000_000, 0, (1000, 0),
                                Metric("yield_ns")),
            "yield_2p": sched_mode("yield", 2, 2_000_000, 0, (1000, 0),
                                   Metric("yield_2p_ns", "yield_ns")),
            "spawn": sched_mode("spawn", 1, 5000, 0, (3, 0),
                                Metric("spawn_ns")),
            "spawn_2p": sched_mode("spawn", 2, 2000, 0, (3, 0),
                                   Metric("spawn_2p_ns", "spawn_ns")),
            "chan": sched_mode("chan", 1, 3_000_000, 0, (1000, 0),
                               Metric("chan_ns")),
            "chan_2p": sched_mode("chan", 2, 500_000, 0, (1000, 0),
                                  Metric("chan_2p_ns", "chan_ns")),
            "coro": sched_mode("coro", 1, 20_000_000, 0, (1000, 0),
                               Metric("coro_ns")),
            "skynet": sched_mode("skynet", 2, 1_000_000, 0, (1000, 0),
                                 Metric("skynet_s")),
            "skynet_chan": sched_mode("skynet_chan", 2, 1_000_000, 0, (1000, 0),
                                      Metric("skynet_chan_s", "skynet_s")),
            "sleepers": sched_mode("sleepers", 2, 100_000, 10_000_000,
                                   (100, 1_000_000), Metric("sleepers_s")),
            "parked": sched_mode("parked", 1, 1_000_000, 0, (1000, 0),
                                 Metric("parked_bytes"),
                                 Metric("parked_pte_bytes"),
                                 Metric("parked_s")),
            "timers": sched_mode("timers", 1, 1_000_000, 3_000_000,
                                 (1000, 1000),
                                 Metric("timers_ns", peers=SLICES)),
            "scale": sched_mode("scale", 2, 64, 10_000, (10, 10),
                                Metric("scale_2", "scale", better="higher")),
            "hog": sched_mode("hog", 1, 1000, 0, (20, 0),
                              Metric("hog_share", peers=SLICES),
                              Metric("pingpong_share", "pair_share",
                                     better="higher", peers=SLICES)),
            "hog_chan": sched_mode("hog_chan", 1, 1000, 0, (20, 0),
                                   Metric("hog_chan_share", "hog_share",
                                          peers=SLICES),
                                   Metric("pingpong_chan_share", "pair_share",
                                          better="higher", peers=SLICES)),
            "ready": sched_mode("ready", 1, 1000, 1000, (300, 20),
                                Metric("ready_share", better="higher")),
            "ready_257": sched_mode("ready", 1, 257, 1000, (257, 20),
                                    Metric("ready_257_share", "ready_share",
                                           better="higher")),
            "gc": sched_mode("gc", 1, 1000, 1, (20, 0),
                             Metric("compute_share", better="higher",
                                    peers=SLICES)),
            "gc_2p": sched_mode("gc", 2, 1000, 1, (20, 0),
                                Metric("compute_2p_share", "compute_share",
                                       better="higher", peers=SLICES)),
            "late": sched_mode("late", 2, 100, 1000, (10, 20),
                               Metric("late_idle_p99_us", peers=SLICES),
                               Metric("late_busy_p99_us", peers=SLICES)),
            "idle": sched_mode("idle", 2, 30_000, 0, (3000, 0),
                               Metric("idle_cpu_ms")),
        },
    ),
    "footprint": Workload(
        target="bench_footprint",
        text="bench_footprint_text",
        peers=("bdwgc",),
        cases={"empty": Case(
            args=("1000",), smoke_args=("5",),
            metrics=(Metric("create_destroy_us", peers=()),
                     Metric("empty_rss_kib"), Metric("threads"),
                     Metric("layouts_rss_kib", peers=()),
                     Metric("layout_cells_rss_kib", peers=()),
                     Metric("text_kib")))},
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
