// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tri_call_on for x86-64, System V ABI; see stacks/call_on.h. The frame pointer
// leads back, for us and for unwinders.

        .text

// void tri_call_on(void (*fn)(void* arg), void* arg, void* sp)
        .globl  tri_call_on
        .hidden tri_call_on
        .type   tri_call_on, @function
        .p2align 4
tri_call_on:
        .cfi_startproc
#if defined(__CET__)
        endbr64
#endif
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        movq    %rdx, %rsp
        movq    %rdi, %rax
        movq    %rsi, %rdi
        callq   *%rax
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        retq
        .cfi_endproc
        .size   tri_call_on, .-tri_call_on

        .section .note.GNU-stack, "", @progbits
