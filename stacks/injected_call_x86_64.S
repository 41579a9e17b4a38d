// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Where an interrupted function goes on after inject_call(). On entry rsp
// points to what the handler has written under the red zone.
//
//   rsp        the interrupted pc
//   rsp - 32   fn: no signal overwrites it, for the kernel leaves the 128 bytes
//              below rsp alone
//
// Nothing may be changed before it is saved. Unwinders find the interrupted
// frame by the rules below: the cfa is its stack pointer.

        .text

        .globl  tri_injected_call
        .hidden tri_injected_call
        .type   tri_injected_call, @function
        .p2align 4
// One byte before it, so that unwinders that look at pc - 1 find these rules.
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa rsp, 136
        .cfi_offset rip, -136
        nop
tri_injected_call:
        pushfq
        .cfi_adjust_cfa_offset 8
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rax, 0
        movq    -16(%rsp), %rax         // fn
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rcx, 0
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rdx, 0
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rsi, 0
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rdi, 0
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r8, 0
        pushq   %r9
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r9, 0
        pushq   %r10
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r10, 0
        pushq   %r11
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r11, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        movq    %rsp, %rbp              // the InjectedFrame
        .cfi_def_cfa_register rbp
        cld
        movq    %rax, %rbx              // fn
        subq    tri_injected_state_bytes(%rip), %rsp
        andq    $-64, %rsp
        movl    tri_injected_state_mask(%rip), %eax
        movl    tri_injected_state_mask + 4(%rip), %edx
        movl    %eax, %ecx
        orl     %edx, %ecx
        jz      1f
        // The header: xsave leaves words of it alone that xrstor wants zero.
        xorl    %ecx, %ecx
        movq    %rcx, 512(%rsp)
        movq    %rcx, 520(%rsp)
        movq    %rcx, 528(%rsp)
        movq    %rcx, 536(%rsp)
        movq    %rcx, 544(%rsp)
        movq    %rcx, 552(%rsp)
        movq    %rcx, 560(%rsp)
        movq    %rcx, 568(%rsp)
        xsave64 (%rsp)
        jmp     2f
1:      fxsave64 (%rsp)
2:      movq    %rbp, %rdi
        movq    %rsp, %rsi
        callq   *%rbx
        movl    tri_injected_state_mask(%rip), %eax
        movl    tri_injected_state_mask + 4(%rip), %edx
        movl    %eax, %ecx
        orl     %edx, %ecx
        jz      3f
        xrstor64 (%rsp)
        jmp     4f
3:      fxrstor64 (%rsp)
4:      movq    %rbp, %rsp
        .cfi_def_cfa_register rsp
        popq    %r15
        .cfi_adjust_cfa_offset -8
        popq    %r14
        .cfi_adjust_cfa_offset -8
        popq    %r13
        .cfi_adjust_cfa_offset -8
        popq    %r12
        .cfi_adjust_cfa_offset -8
        popq    %r11
        .cfi_adjust_cfa_offset -8
        popq    %r10
        .cfi_adjust_cfa_offset -8
        popq    %r9
        .cfi_adjust_cfa_offset -8
        popq    %r8
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        popq    %rax
        .cfi_adjust_cfa_offset -8
        popfq
        .cfi_adjust_cfa_offset -8
        // The pc, and over the red zone.
        retq    $128
        .cfi_endproc
        .size   tri_injected_call, .-tri_injected_call

        .section .note.GNU-stack, "", @progbits
