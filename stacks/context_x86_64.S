// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The stack switch for x86-64, System V ABI. Called by stacks/context.h; the
// layout of a saved frame is shared with context_init in stacks/context.cc.
//
// A saved frame, from the stored stack pointer upwards, in words:
//
//   0        1    2    3    4    5    6    7
//   fp ctrl  r15  r14  r13  r12  rbx  rbp  return address
//
// fp ctrl holds MXCSR in bytes 0-3 and the x87 control word in bytes 4-5. Only
// control bits belong to a context (the ABI calls the status bits volatile), so
// they are loaded only when they differ: loading costs more than the rest.

        .text

// void tri_context_switch(void** from_sp, void* to_sp)
// void tri_context_cross(void** from_sp, void* to_sp)
//
// The same but for the last jump. A return is predicted to go where the call
// came from, which is right between contexts that leave at one place (a task
// for the next task), and then for the returns that follow, too. Between
// unequal ones (task and loop, coroutine and resumer) an indirect jump is
// predicted by what went before, and the returns behind it are one off, but
// would be wrong anyway.
        .macro TRI_SWITCH name, how
        .globl  \name
        .hidden \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
#if defined(__CET__)
        endbr64
#endif
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        pushq   %rbx
        .cfi_def_cfa_offset 24
        .cfi_offset rbx, -24
        pushq   %r12
        .cfi_def_cfa_offset 32
        .cfi_offset r12, -32
        pushq   %r13
        .cfi_def_cfa_offset 40
        .cfi_offset r13, -40
        pushq   %r14
        .cfi_def_cfa_offset 48
        .cfi_offset r14, -48
        pushq   %r15
        .cfi_def_cfa_offset 56
        .cfi_offset r15, -56
        subq    $8, %rsp
        .cfi_def_cfa_offset 64
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        movq    %rsp, (%rdi)
        // From here on everything is the other context; the frame looks the
        // same there, so what unwinders were told above stays true.
        movq    %rsi, %rsp
        xorl    (%rsp), %eax
        testl   $0xffc0, %eax           // not the six sticky status bits
        jne     1f
2:      cmpw    4(%rsp), %cx
        jne     3f
4:      addq    $8, %rsp
        .cfi_def_cfa_offset 56
        popq    %r15
        .cfi_def_cfa_offset 48
        popq    %r14
        .cfi_def_cfa_offset 40
        popq    %r13
        .cfi_def_cfa_offset 32
        popq    %r12
        .cfi_def_cfa_offset 24
        popq    %rbx
        .cfi_def_cfa_offset 16
        popq    %rbp
        .cfi_def_cfa_offset 8
        .ifc \how, ret
        ret
        .else
        popq    %rdx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rdx
        jmpq    *%rdx
        .cfi_offset rip, -8
        .endif
        .cfi_def_cfa_offset 64
1:      ldmxcsr (%rsp)
        jmp     2b
3:      fldcw   4(%rsp)
        jmp     4b
        .cfi_endproc
        .size   \name, .-\name
        .endm

        TRI_SWITCH tri_context_switch, ret
        TRI_SWITCH tri_context_cross, jump

// The first return address of a new context. context_init has put the entry
// function into r12, its argument into r13 and the Context into r14.
        .globl  tri_context_entry
        .hidden tri_context_entry
        .type   tri_context_entry, @function
        .p2align 4
tri_context_entry:
        .cfi_startproc
        .cfi_undefined rip              // the end of every backtrace
#if defined(__CET__)
        endbr64
#endif
        xorl    %ebp, %ebp
        movq    %r14, %rdi
        movq    %r12, %rsi
        movq    %r13, %rdx
        callq   tri_context_begin
        ud2                             // entry functions do not return
        .cfi_endproc
        .size   tri_context_entry, .-tri_context_entry

// void tri_context_reset_fp(void): the control words of a new context, as in
// context_init. In the red zone: this is a leaf.
        .globl  tri_context_reset_fp
        .hidden tri_context_reset_fp
        .type   tri_context_reset_fp, @function
        .p2align 4
tri_context_reset_fp:
        .cfi_startproc
#if defined(__CET__)
        endbr64
#endif
        stmxcsr -8(%rsp)
        fnstcw  -4(%rsp)
        movl    -8(%rsp), %eax
        xorl    $0x1f80, %eax
        testl   $0xffc0, %eax           // not the six sticky status bits
        jne     1f
        cmpw    $0x037f, -4(%rsp)
        jne     1f
        retq
1:      movl    $0x1f80, -8(%rsp)
        ldmxcsr -8(%rsp)
        movw    $0x037f, -4(%rsp)
        fldcw   -4(%rsp)
        retq
        .cfi_endproc
        .size   tri_context_reset_fp, .-tri_context_reset_fp

        .section .note.GNU-stack, "", @progbits
