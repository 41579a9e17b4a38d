// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The calls by which a program goes native, x86-64, System V ABI. The caller's
// function goes on while it is native, and what it and its callers hold in
// callee-saved registers may lie in no frame then (see stacks/spill.h). So the
// registers are pushed here, before any code of ours has touched one, and their
// address is passed on: to enter_native_spilled() and its like in
// sched/native.cc and attach.cc, which save them where a scan finds them.

        .text

// name(args...) calls target(args..., SpillFrame*); the frame is the argument
// in register `frame`.
        .macro ENTRY name, target, frame
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
#if defined(__CET__)
        endbr64
#endif
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        movq    %rsp, %\frame
        callq   \target
        addq    $56, %rsp
        .cfi_adjust_cfa_offset -56
        retq
        .cfi_endproc
        .size   \name, .-\name
        .endm

// void tri_enter_native(tri_mutator* mu)
        ENTRY   tri_enter_native, tri_enter_native_spilled, rsi
// void tri_leave_managed(tri_mutator* mu)
        ENTRY   tri_leave_managed, tri_leave_managed_spilled, rsi
// tri_mutator* tri_attach(tri_runtime* rt)
        ENTRY   tri_attach, tri_attach_spilled, rsi
// tri_mutator* tri_try_attach(tri_runtime* rt, tri_error* error)
        ENTRY   tri_try_attach, tri_try_attach_spilled, rdx

        .section .note.GNU-stack, "", @progbits
