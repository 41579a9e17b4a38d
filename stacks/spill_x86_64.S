// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tri_spill_call for x86-64, System V ABI; see stacks/spill.h, which has the
// layout of what is pushed.

        .text

// void tri_spill_call(void (*fn)(void* arg, char* sp), void* arg)
        .globl  tri_spill_call
        .hidden tri_spill_call
        .type   tri_spill_call, @function
        .p2align 4
tri_spill_call:
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
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rsp, %rsi
        callq   *%rax
        // The callee has preserved them.
        addq    $56, %rsp
        .cfi_adjust_cfa_offset -56
        retq
        .cfi_endproc
        .size   tri_spill_call, .-tri_spill_call

        .section .note.GNU-stack, "", @progbits
