#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of the runner, with shell one-liners in the place of programs."""

import contextlib
import dataclasses
import io
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import compare
import measure
import programs
import workloads
from measure import Failure
from programs import Program
from workloads import WORKLOADS, Case, Metric, Workload


def shell(name, script):
    return Program(name, "1", ["/bin/sh", "-c", script, name])


def workload(**changes):
    settings = {
        "target": "none", "peers": ("p",),
        "cases": {"c": Case(args=("big",), smoke_args=("small",), metrics=(
            Metric("ops", better="higher"), Metric("wall_s", "wall_s")))},
    }
    settings.update(changes)
    return Workload(**settings)


GOOD = "echo checksum 7; echo metric ops 4; echo note $1"


class Measure(unittest.TestCase):
    def test_reports_cpu_memory_and_output(self):
        run = measure.run(["/bin/sh", "-c", "echo checksum $V"],
                          {"V": "9"}, 10)
        self.assertEqual(run.stdout, b"checksum 9\n")
        self.assertEqual(run.checksums(), [b"checksum 9"])
        self.assertGreater(run.wall_s, 0)
        self.assertGreater(run.rss_mib, 0)

    def test_failures_are_worded(self):
        for script, words in [("echo oops >&2; exit 3", "exited with 3:\noops"),
                              ("kill -SEGV $$", "killed by SIGSEGV")]:
            with self.assertRaisesRegex(Failure, words):
                measure.run(["/bin/sh", "-c", script], None, 10)
        with self.assertRaisesRegex(Failure, "cannot start /nowhere"):
            measure.run(["/nowhere"], None, 10)

    def test_timeout_ends_the_program(self):
        with self.assertRaisesRegex(Failure, "took longer than 0.1 s"):
            measure.run(["/bin/sh", "-c", "sleep 60"], None, 0.1)


class Rounds(unittest.TestCase):
    def rounds(self, found, load, *flags):
        options = compare.parse_arguments(["lua", *flags])
        with contextlib.redirect_stderr(io.StringIO()):
            return compare.run_rounds(load, found, options)

    def test_collects_every_round(self):
        found = [shell("tricolor", GOOD), shell("p", GOOD)]
        raw, stolen = self.rounds(found, workload(), "--rounds", "3")
        self.assertEqual(raw["c"]["p"]["ops"], [4.0] * 3)
        self.assertEqual(len(raw["c"]["tricolor"]["wall_s"]), 3)
        self.assertEqual(len(stolen), 3)

    def test_smoke_is_one_round_of_small_arguments(self):
        found = [shell("tricolor", '[ "$1" = small ] && ' + GOOD.replace(
            ";", " &&"))]
        raw, _ = self.rounds(found, workload(), "--smoke", "--rounds", "4")
        self.assertEqual(len(raw["c"]["tricolor"]["ops"]), 1)

    def test_a_case_may_be_left_out_of_the_smoke(self):
        case = workload().cases["c"]
        large = dataclasses.replace(case, smoke_args=None)
        load = workload(cases={"c": case, "d": large})
        self.assertEqual(list(compare.smoke_cases(load).cases), ["c"])

    def test_a_metric_of_some_peers_is_asked_of_these(self):
        case = Case((), (), (Metric("ops"), Metric("extra", peers=())))
        ours = shell("tricolor", GOOD + "; echo metric extra 1")
        raw, _ = self.rounds([ours, shell("p", GOOD)],
                             workload(cases={"c": case}), "--rounds", "1")
        self.assertEqual(raw["c"]["tricolor"]["extra"], [1.0])
        self.assertEqual(raw["c"]["p"], {"ops": [4.0]})

    def test_a_peer_without_a_metric_is_not_run(self):
        case = Case((), (), (Metric("ops", peers=()),))
        raw, _ = self.rounds([shell("tricolor", GOOD), shell("p", "exit 3")],
                             workload(cases={"c": case}), "--rounds", "2")
        self.assertEqual(raw["c"], {"tricolor": {"ops": [4.0, 4.0]}, "p": {}})

    def test_a_case_adds_to_the_environment(self):
        case = Case((), (), (Metric("a"), Metric("b")), env={"B": "2"})
        ours = shell("tricolor", "echo checksum 1; echo metric a $A; "
                     "echo metric b $B")
        raw, _ = self.rounds([ours], workload(cases={"c": case},
                                              env={"A": "1", "B": "1"}),
                             "--rounds", "1")
        self.assertEqual(raw["c"]["tricolor"], {"a": [1.0], "b": [2.0]})

    def test_checksums_must_agree(self):
        found = [shell("tricolor", GOOD),
                 shell("p", "echo checksum 8; echo metric ops 4")]
        with self.assertRaisesRegex(Failure,
                                    "p and tricolor differ:\n.*7\n.*8"):
            self.rounds(found, workload())

    def test_checksum_must_be_there(self):
        with self.assertRaisesRegex(Failure, "printed no checksum line"):
            self.rounds([shell("tricolor", "echo metric ops 4")], workload())

    def test_metric_must_be_there(self):
        with self.assertRaisesRegex(Failure, "no line `metric ops VALUE`"):
            self.rounds([shell("tricolor", "echo checksum 7")], workload())

    def test_whole_output_can_be_compared(self):
        found = [shell("tricolor", GOOD), shell("p", GOOD + "; echo more")]
        self.rounds(found, workload())
        with self.assertRaisesRegex(Failure, r"line 4 of p: more"):
            self.rounds(found, workload(compare="stdout"))


class Report(unittest.TestCase):
    def test_lines_have_the_promised_form(self):
        raw = {"c": {"tricolor": {"ops": [1, 3, 2], "wall_s": [1.0]},
                     "p": {"ops": [4], "wall_s": [0.5]}}}
        self.assertEqual(compare.report("w", workload(), raw, ["p"]), [
            "w ops tricolor=2 p=4 ratio=0.500 higher",
            "w wall_s tricolor=1 p=0.5 ratio=2.000 lower"])

    def test_a_metric_of_some_peers_is_reported_for_these(self):
        metrics = (Metric("us", peers=()), Metric("kib", peers=("q",)))
        load = workload(peers=("p", "q"),
                        cases={"c": Case((), (), metrics)})
        raw = {"c": {"tricolor": {"us": [3], "kib": [4]}, "p": {},
                     "q": {"kib": [2]}}}
        self.assertEqual(compare.report("w", load, raw, ["p", "q"]), [
            "w us tricolor=3 lower",
            "w kib tricolor=4 q=2 ratio=2.000 lower"])

    def test_nothing_against_nothing_is_equal(self):
        load = workload(cases={"c": Case((), (), (Metric("threads"),))})
        raw = {"c": {"tricolor": {"threads": [0]}, "p": {"threads": [0]}}}
        self.assertEqual(compare.report("w", load, raw, ["p"]), [
            "w threads tricolor=0 p=0 ratio=1.000 lower"])

    def test_a_median_above_the_limit_is_reported(self):
        load = workload(cases={"c": Case((), (), (
            Metric("mib", at_most=16),))})
        raw = {"c": {"tricolor": {"mib": [16]}, "p": {"mib": [9, 17, 18]}}}
        self.assertEqual(compare.report("w", load, raw, ["p"]), [
            "w mib tricolor=16 p=17 ratio=0.941 lower",
            "w mib p=17 exceeds 16"])

    def test_geomean_is_over_the_first_metric_of_each_case(self):
        case = Case((), (), (Metric("a_s"),)), Case((), (), (Metric("b_s"),))
        load = workload(cases={"a": case[0], "b": case[1]}, geomean=True)
        raw = {"a": {"tricolor": {"a_s": [2]}, "p": {"a_s": [1]}},
               "b": {"tricolor": {"b_s": [8]}, "p": {"b_s": [1]}}}
        self.assertEqual(compare.report("w", load, raw, ["p"])[-1],
                         "w geomean tricolor=4 p=1 ratio=4.000 lower")


class Text(unittest.TestCase):
    def added(self, symbols):
        answers = {"nm": symbols, "size with": "text data\n 4096 7 with\n",
                   "size none": "text data\n 1024 7 none\n"}

        def tool(argv, *_):
            return answers["nm" if argv[0] == "nm" else " ".join(argv)]

        with mock.patch.object(programs, "build_step", tool):
            return programs.added_text("with", "none")

    def test_is_the_difference_of_two_programs(self):
        self.assertEqual(self.added("main\nsocket\n"), 3)

    def test_a_poller_in_a_program_of_the_heap_is_a_failure(self):
        for symbol in ("epoll_create1", "accept4",
                       "_ZN8tricolor7netpoll6Poller7destroyEv"):
            with self.assertRaisesRegex(Failure, symbol + " in it"):
                self.added("main\n" + symbol + "\n")

    def test_the_program_carries_it(self):
        load = workload(cases={"c": Case((), (), (Metric("text_kib"),))})
        ours = shell("tricolor", GOOD)
        ours.text_kib = 200
        options = compare.parse_arguments(["footprint", "--smoke"])
        with contextlib.redirect_stderr(io.StringIO()):
            raw, _ = compare.run_rounds(load, [ours], options)
        self.assertEqual(raw["c"]["tricolor"], {"text_kib": [200]})


class Peers(unittest.TestCase):
    def test_a_library_that_does_not_link_is_absent(self):
        missing = programs.CLibrary("no_such_library_at_all", "stdio.h", "")
        self.assertIsNone(missing.find())

    def test_a_library_needs_the_compiler_of_its_language(self):
        there = programs.CxxLibrary("stdc++ m", "cmath", 'puts("1");')
        self.assertEqual(there.find(), "1")
        in_c = programs.CLibrary("m", "cmath", 'puts("1");')
        self.assertIsNone(in_c.find())

    def test_a_command_that_is_not_there_is_absent(self):
        with mock.patch.dict(os.environ, {"PATH": "/nonexistent"}):
            self.assertIsNone(programs.PEERS["lua5.4"].find())
            self.assertIsNone(programs.PEERS["go"].find())
            self.assertIsNone(programs.PEERS["bdwgc"].find())
            self.assertIsNone(programs.PEERS["boost_fiber"].find())
            self.assertIsNone(programs.PEERS["g1"].find())

    def test_a_jdk_without_the_collector_is_absent(self):
        self.assertIsNone(programs.Java("-XX:+UseNoSuchGC").find())

    def test_java_is_compiled_again_for_a_newer_source_alone(self):
        with tempfile.TemporaryDirectory() as place:
            root = pathlib.Path(place)
            peers = root / "bench" / "peers"
            main = peers / "w" / "java" / "Main.java"
            shared = peers / "measure" / "java" / "Measure.java"
            for file in (main, shared):
                file.parent.mkdir(parents=True)
                file.touch()
            made = root / "build" / "java" / "Main.class"
            made.parent.mkdir(parents=True)
            steps = []

            def compiler(argv, *_):
                steps.append(argv[0])
                made.touch()
                os.utime(made, (20, 20))

            with mock.patch.object(programs, "build_step", compiler):
                for changed in (10, 10, 30):
                    os.utime(shared, (10, 10))
                    os.utime(main, (changed, changed))
                    program = programs.Java("-XX:+UseX").build(
                        "x", "1", peers / "w", root / "build" / "x")
        self.assertEqual(steps, ["javac", "javac"])
        self.assertEqual(program.argv[:2], ["java", "-XX:+UseX"])

    def test_the_table_is_sound(self):
        for name, load in WORKLOADS.items():
            for peer in load.peers:
                self.assertIn(peer, programs.PEERS, name)
            self.assertTrue(compare.smoke_cases(load).cases, name)
            for case in load.cases.values():
                for arg in case.args + (case.smoke_args or ()):
                    path = arg.replace("{root}", str(compare.ROOT))
                    if path != arg:
                        self.assertTrue(os.path.exists(path), path)

    def test_a_fixed_heap_is_the_same_for_all(self):
        cases = workloads.fixed_heap(1000, ("3",), ("1",))
        self.assertEqual(sorted(cases), ["2x_1m", "2x_2m", "4x_1m", "4x_2m"])
        case = cases["4x_2m"]
        self.assertEqual(case.args, ("2", "8000", "3"))
        for knob in ("TRIMEMLIMIT", "GOMEMLIMIT", "GC_MAXIMUM_HEAP_SIZE"):
            self.assertEqual(case.env[knob], "8000")
        self.assertEqual(case.env["JDK_JAVA_OPTIONS"], "-Xmx8000")
        names = {m.name for c in cases.values() for m in c.metrics}
        self.assertEqual(len(names), 16)

    def test_a_metric_has_one_line_in_the_report(self):
        for name, load in WORKLOADS.items():
            names = [m.name for c in load.cases.values() for m in c.metrics]
            self.assertEqual(sorted(set(names)), sorted(names), name)

    def test_an_unknown_peer_is_refused(self):
        text = io.StringIO()
        with contextlib.redirect_stderr(text), self.assertRaises(SystemExit):
            compare.parse_arguments(["lua", "--peers", "go"])
        self.assertIn("lua has no peer 'go'", text.getvalue())


if __name__ == "__main__":
    unittest.main()
