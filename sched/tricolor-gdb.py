# SPDX-License-Identifier: MIT
# Copyright (c) 2026 tricolor authors
"""gdb commands for programs with tricolor runtimes, live or as core files.

  (gdb) source sched/tricolor-gdb.py
  (gdb) tri-runtimes          the runtimes of the process
  (gdb) tri-ps [RUNTIME]      its Ps
  (gdb) tri-tasks [RUNTIME]   its tasks: id, state, what they wait for
  (gdb) tri-bt TASK [RUNTIME] the stack of a task that runs on no thread

RUNTIME is an address; without it, all. It reads memory alone: no function of
the program is called. The library needs debug information (-g1 will not do:
types are wanted).
"""
import gdb

STATE_MASK = 0xff
P_STATE_MASK = 0xf
SCAN_BIT = 0x100
# The saved frame of stacks/context_x86_64.S, in words.
RBP_WORD, RETURN_WORD, FRAME_WORDS = 6, 7, 8


def atomic(value):
    """The word inside a base::Atomic: the only one, some structs down."""
    value = value["v_"]
    while value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        fields = [f for f in value.type.strip_typedefs().fields()
                  if not hasattr(f, "enumval") and hasattr(f, "bitpos")]
        value = value[fields[0]]
    return value


def enum_name(type_name, number):
    """kRunning -> running."""
    for field in gdb.lookup_type(type_name).fields():
        if field.enumval == number:
            return field.name.split("::")[-1][1:].lower()
    return "?%d" % number


def runtimes(argument=""):
    kind = gdb.lookup_type("tricolor::RuntimeImpl").pointer()
    if argument:
        return [gdb.parse_and_eval(argument).cast(kind)]
    found = []
    # Each runtime registers a dumper for fatal errors: {function, runtime}.
    dumpers = gdb.parse_and_eval(
        "'tricolor::base::(anonymous namespace)::g_dumpers'")
    for i in range(dumpers.type.range()[1] + 1):
        dumper = atomic(dumpers[i])
        if int(dumper) == 0:
            continue
        if "dump_state" in str(dumper.dereference()["fn"]):
            found.append(dumper.dereference()["ctx"].cast(kind))
    return found


def tasks(rt):
    table = rt["gs"]
    data = table["all_"]["data_"]
    for i in range(int(atomic(table["count_"]))):
        g = data[i]
        if enum_name("tricolor::sched::GState",
                     int(atomic(g["status"])) & STATE_MASK) != "idle":
            yield g


def describe(g):
    word = int(atomic(g["status"]))
    state = enum_name("tricolor::sched::GState", word & STATE_MASK)
    kind = enum_name("tricolor::sched::GKind", int(g["kind"]))
    text = "%-9s %6d  " % (kind, int(atomic(g["id"])))
    name = atomic(g["name"])
    if int(name) != 0:
        text += name.dereference()["text"].string() + " "
    text += state
    if state == "waiting":
        text += ": " + enum_name("tricolor::sched::WaitReason",
                                 int(atomic(g["wait_reason"])))
    if word & SCAN_BIT:
        text += " (being scanned)"
    if state in ("running", "native") and int(g["m"]) != 0:
        text += ", M %#x" % int(g["m"])
    return text


def is_switched_away(g):
    state = enum_name("tricolor::sched::GState",
                      int(atomic(g["status"])) & STATE_MASK)
    return (state in ("runnable", "waiting", "normal", "suspended")
            and bool(g["started"]) and int(g["stack"]) != 0)


def symbol_of(address):
    text = gdb.execute("info symbol %#x" % (address - 1), to_string=True)
    text = text.split(" in section")[0].strip()
    line = gdb.find_pc_line(address - 1)
    where = ""
    if line.symtab is not None:
        where = " at %s:%d" % (line.symtab.filename, line.line)
    return text + where


def is_return_address(address):
    """Whether a call instruction of the program ends there."""
    if address < 4096 or gdb.solib_name(address) is None and \
            gdb.block_for_pc(address) is None:
        return False
    try:
        code = bytes(gdb.selected_inferior().read_memory(address - 7, 7))
    except gdb.MemoryError:
        return False
    if code[2] == 0xe8:
        return True
    return any(code[7 - n] == 0xff and (code[8 - n] >> 3) & 7 == 2
               for n in (2, 3, 4, 6, 7))


def frames(g):
    """Return addresses, as sched/backtrace_x86_64.cc finds them."""
    word = gdb.lookup_type("unsigned long").pointer()
    sp = int(g["fiber"]["context"]["sp"])
    end = int(g["stack"])
    words = (end - sp) // 8
    at = gdb.Value(sp).cast(word)
    if int(at[RETURN_WORD]) == 0:
        raise gdb.GdbError("the stack is not in the core file: gdb's gcore "
                           "leaves out mappings with guard pages, the "
                           "kernel's cores have them")
    yield int(at[RETURN_WORD])
    for i in range(FRAME_WORDS, words):
        address = int(at[i])
        if is_return_address(address):
            yield address


class Command(gdb.Command):
    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_STACK)


class Runtimes(Command):
    """tri-runtimes: the runtimes of the process."""

    def invoke(self, argument, from_tty):
        for rt in runtimes():
            s = rt["sched"]
            print("runtime %#x: %d Ps, %d threads" %
                  (int(rt), int(atomic(s["max_procs"])),
                   int(atomic(s["threads"]))))


class Ps(Command):
    """tri-ps [RUNTIME]: its Ps."""

    def invoke(self, argument, from_tty):
        for rt in runtimes(argument):
            s = rt["sched"]
            for i in range(int(atomic(s["all_p_count"]))):
                p = s["all_ps"]["data_"][i]
                q = p["runq"]
                size = int(atomic(q["tail_"])) - int(atomic(q["head_"]))
                size += 1 if int(atomic(q["next_"])) != 0 else 0
                curg = atomic(p["curg"])
                task = -1
                if int(curg) != 0:
                    task = int(atomic(curg.dereference()["id"]))
                print("P%-4d %s%s  queue %d  tick %d  task %d" % (
                    int(p["id"]),
                    enum_name("tricolor::sched::PState",
                              int(atomic(p["status"])) & P_STATE_MASK),
                    " (attached)" if p["attached"] else "",
                    size, int(atomic(p["tick"])), task))


class Tasks(Command):
    """tri-tasks [RUNTIME]: its tasks."""

    def invoke(self, argument, from_tty):
        for rt in runtimes(argument):
            print("runtime %#x" % int(rt))
            for g in tasks(rt):
                print("  " + describe(g))


class Backtrace(Command):
    """tri-bt TASK [RUNTIME]: the stack of a task that runs on no thread."""

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("tri-bt TASK [RUNTIME]")
        for rt in runtimes(words[1] if len(words) > 1 else ""):
            for g in tasks(rt):
                if int(atomic(g["id"])) != int(words[0], 0):
                    continue
                print(describe(g))
                if not is_switched_away(g):
                    print("  on a thread: see `thread apply all bt`")
                    continue
                for n, address in enumerate(frames(g)):
                    print("  #%-2d %#x %s" % (n, address, symbol_of(address)))


Runtimes("tri-runtimes")
Ps("tri-ps")
Tasks("tri-tasks")
Backtrace("tri-bt")
