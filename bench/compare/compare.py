#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev compare WORKLOAD [--rounds N] [--peers a,b] [--smoke]

Builds ours and the peers found on the machine, runs them in turn, round by
round, on the same CPUs, checks that they computed the same, and prints one
line per metric and peer:

    WORKLOAD METRIC tricolor=V PEER=V ratio=R lower|higher

V are medians over the rounds, R is ours / theirs, the last word says which is
better; a metric that no peer has, or found, comes without PEER and ratio. A
median above what the workload allows makes a further line,

    WORKLOAD METRIC PROGRAM=V exceeds LIMIT

Raw rounds go to bench/results/. Ends with exit code 1 and a sentence
when something fails. stdout has the lines above and nothing else; progress
goes to stderr. See bench/README.md.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import re
import statistics
import sys

import measure
import programs
from measure import Failure
from workloads import WORKLOADS

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Environment variables that change what a program does. TRI_* are those of
# ./dev, not of the runtime.
KNOBS = re.compile("TRI(?!_)|GOGC|GOMEMLIMIT|GODEBUG|GC_|MIMALLOC_|LUA_|"
                   "MALLOC_|LD_|JDK_JAVA_|JAVA_TOOL_|_JAVA_")


def say(text):
    print(text, file=sys.stderr, flush=True)


def number(value):
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="./dev compare",
        description="Ours against its peers; see bench/README.md.")
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=5,
                        help="how often each program runs (default 5)")
    parser.add_argument("--peers", metavar="a,b",
                        help="only these peers (default: all of the workload)")
    parser.add_argument("--smoke", action="store_true",
                        help="tiny sizes, one round, no results file")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    peers = WORKLOADS[options.workload].peers
    if options.peers is not None:
        wanted = [p for p in options.peers.split(",") if p]
        for name in wanted:
            if name not in peers:
                parser.error(f"{options.workload} has no peer {name!r}; it "
                             f"has {', '.join(peers)}")
        peers = tuple(p for p in peers if p in wanted)
    options.peers = peers
    if options.smoke:
        options.rounds = 1
    return options


def values_of(case, program, run):
    """The value of every metric of the case in one run."""
    own = run.metrics()
    values = {}
    for metric in case.metrics:
        if not metric.of(program.name):
            continue
        source = metric.source or metric.name
        if source in ("wall_s", "cpu_s", "rss_mib"):
            values[metric.name] = getattr(run, source)
        elif source == "text_kib":
            values[metric.name] = program.text_kib
        elif source in own:
            values[metric.name] = own[source]
        else:
            raise Failure(f"{program.name} printed no line "
                          f"`metric {source} VALUE`")
    return values


def check_equal(workload, case_name, runs):
    """Every program must have computed what the first one did."""
    (first, reference), *others = runs.items()
    if workload.compare == "checksum":
        result = measure.Run.checksums
        if not result(reference):
            raise Failure(f"{case_name}: {first} printed no checksum line")
    else:
        def result(run):
            return run.stdout.split(b"\n")
    expected = result(reference)
    for name, run in others:
        got = result(run)
        if got != expected:
            raise Failure(f"{case_name}: {name} and {first} differ:\n"
                          + first_difference(first, expected, name, got))


def first_difference(first, expected, name, got):
    for i in range(max(len(expected), len(got))):
        a = expected[i] if i < len(expected) else b"(nothing)"
        b = got[i] if i < len(got) else b"(nothing)"
        if a != b:
            return (f"  line {i + 1} of {first}: {a.decode(errors='replace')}\n"
                    f"  line {i + 1} of {name}: {b.decode(errors='replace')}")
    return ""


def run_case(workload, case_name, ordered, smoke):
    """One run of every program; returns {program: {metric: value}}."""
    case = workload.cases[case_name]
    env = {**os.environ, **workload.env, **case.env}
    args = [a.replace("{root}", str(ROOT))
            for a in (case.smoke_args if smoke else case.args)]
    runs, values = {}, {}
    for program in ordered:
        if not any(metric.of(program.name) for metric in case.metrics):
            values[program.name] = {}
            continue
        run = measure.run(program.argv + args, env, workload.timeout_s)
        runs[program.name] = run
        values[program.name] = values_of(case, program, run)
    check_equal(workload, case_name, runs)
    return values


def run_rounds(workload, found, options):
    """All rounds: {case: {program: {metric: [value per round]}}} and the
    stolen milliseconds of each round."""
    raw = {name: {p.name: {m.name: [] for m in case.metrics if m.of(p.name)}
                  for p in found}
           for name, case in workload.cases.items()}
    stolen = []
    for number_of_round in range(options.rounds):
        before = measure.steal_ms()
        # Whoever goes first changes, so that none always runs on a warm or a
        # cold machine.
        turn = number_of_round % len(found)
        ordered = found[turn:] + found[:turn]
        for name in workload.cases:
            values = run_case(workload, name, ordered, options.smoke)
            for program, by_metric in values.items():
                for metric, value in by_metric.items():
                    raw[name][program][metric].append(value)
            say(f"round {number_of_round + 1}/{options.rounds} {name}: "
                + ", ".join(f"{p} {number(next(iter(v.values())))}"
                            for p, v in sorted(values.items()) if v))
        stolen.append(measure.steal_ms() - before)
    return raw, stolen


def report(name, workload, raw, peers):
    """The lines of the comparison, in the order of the table."""
    lines = []
    columns = {p: [] for p in ("tricolor",) + tuple(peers)}

    def add(metric, better, values):
        ours = values["tricolor"]
        if len(values) == 1:
            lines.append(f"{name} {metric} tricolor={number(ours)} {better}")
        for peer in (p for p in peers if p in values):
            theirs = values[peer]
            ratio = (f"{ours / theirs:.3f}" if theirs else
                     "inf" if ours else "1.000")
            lines.append(f"{name} {metric} tricolor={number(ours)} "
                         f"{peer}={number(theirs)} ratio={ratio} {better}")

    for case_name, case in workload.cases.items():
        for metric in case.metrics:
            medians = {p: statistics.median(v[metric.name])
                       for p, v in raw[case_name].items() if metric.of(p)}
            add(metric.name, metric.better, medians)
            lines += [f"{name} {metric.name} {p}={number(median)} exceeds "
                      f"{number(metric.at_most)}"
                      for p, median in medians.items()
                      if metric.at_most is not None
                      and median > metric.at_most]
            if metric is case.metrics[0]:
                for p, median in medians.items():
                    columns[p].append(median)
    if workload.geomean:
        add("geomean", "lower",
            {p: statistics.geometric_mean(v) for p, v in columns.items()})
    return lines


def save(options, facts, found, raw, stolen, lines):
    now = datetime.datetime.now(datetime.timezone.utc)
    path = (ROOT / "bench" / "results"
            / f"{options.workload}-{now:%Y%m%d-%H%M%S}.json")
    workload = WORKLOADS[options.workload]
    record = {
        "workload": options.workload,
        "date": now.isoformat(timespec="seconds"),
        "command": "./dev compare " + " ".join(sys.argv[1:]),
        **facts,
        "rounds": options.rounds,
        "environment": {n: {**workload.env, **c.env}
                        for n, c in workload.cases.items()},
        "arguments": {n: c.args for n, c in workload.cases.items()},
        "programs": {p.name: {"version": p.version, "command": p.argv}
                     for p in found},
        "steal_ms": stolen,
        "raw": raw,
        "lines": lines,
    }
    text = json.dumps(record, indent=1).replace(str(ROOT) + "/", "")
    path.write_text(text + "\n", encoding="utf-8")
    say(f"raw rounds: {path.relative_to(ROOT)}")


def smoke_cases(workload):
    cases = {name: case for name, case in workload.cases.items()
             if case.smoke_args is not None}
    return dataclasses.replace(workload, cases=cases)


def compare(options):
    workload = WORKLOADS[options.workload]
    if options.smoke:
        workload = smoke_cases(workload)
    knobs = {k: v for k, v in os.environ.items() if KNOBS.match(k)}
    for key, value in sorted(knobs.items()):
        say(f"note: {key}={value} is set and reaches every program")
    found = [programs.OurProgram(ROOT).build(workload.target, workload.text)]
    for peer in options.peers:
        program = programs.build_peer(ROOT, options.workload, peer,
                                      bool(workload.text))
        if program is None:
            print(f"{options.workload} {peer} absent", flush=True)
        else:
            say(f"{peer}: {program.version}")
            found.append(program)
    facts = measure.host_facts(ROOT)
    facts["knobs"] = knobs
    facts["cpus"] = measure.restrict_cpus(workload.cpus)
    facts["rss_floor_mib"] = measure.rss_floor_mib()
    if len(facts["cpus"]) < workload.cpus:
        say(f"note: {options.workload} is meant for {workload.cpus} CPUs, "
            f"there is {len(facts['cpus'])}")
    raw, stolen = run_rounds(workload, found, options)
    lines = report(options.workload, workload, raw,
                   [p.name for p in found[1:]])
    for line in lines:
        print(line)
    if not options.smoke:
        save(options, facts, found, raw, stolen, lines)


def main(argv):
    options = parse_arguments(argv)
    try:
        compare(options)
    except Failure as failure:
        say(f"compare {options.workload}: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
