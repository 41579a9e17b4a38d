// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// resume and yield for x86-64, System V ABI: the calls that C++ makes before
// and behind a switch, and the switch, in one frame that is left by a jump.
//
// A processor predicts that a return goes to the last call. Behind a switch
// that was made on another stack, so a resume that ends in a return costs 15 to
// 20 cycles, and so does a yield. An indirect jump is predicted by where it
// went before, which is right in a loop. What begins and ends on one side of
// the switch (..._begin and ..._end) is called and returns as usual.

        .text

// CoroutineStatus tri_detail_coroutine_resume(Mutator* mu, Coroutine* co,
//                                      void* value, void** result,
//                                      Failure* failure)
        .globl  tri_detail_coroutine_resume
        .hidden tri_detail_coroutine_resume
        .type   tri_detail_coroutine_resume, @function
        .p2align 4
tri_detail_coroutine_resume:
        .cfi_startproc
#if defined(__CET__)
        endbr64
#endif
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        pushq   %r8
        pushq   %rcx
        pushq   %rsi
        pushq   %rdi
        callq   tri_detail_coroutine_resume_begin      // rax, rdx: SwitchPlan
        testq   %rax, %rax
        je      1f
        movq    %rax, %rdi
        movq    %rdx, %rsi
        callq   tri_context_cross
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        callq   tri_detail_coroutine_resume_end
        popq    %rbp
        .cfi_def_cfa rsp, 8
        popq    %rdx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rdx
        jmpq    *%rdx
        .cfi_def_cfa rbp, 16
        .cfi_offset rip, -8
1:      movl    %edx, %eax
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   tri_detail_coroutine_resume, .-tri_detail_coroutine_resume

// void* tri_detail_coroutine_yield(Mutator* mu, void* value)
        .globl  tri_detail_coroutine_yield
        .hidden tri_detail_coroutine_yield
        .type   tri_detail_coroutine_yield, @function
        .p2align 4
tri_detail_coroutine_yield:
        .cfi_startproc
#if defined(__CET__)
        endbr64
#endif
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        pushq   %rdi
        pushq   %rdi                            // twice: calls want 16 bytes
        callq   tri_detail_coroutine_yield_begin
        movq    %rax, %rdi
        movq    %rdx, %rsi
        callq   tri_context_cross
        popq    %rdi
        popq    %rdi
        callq   tri_detail_coroutine_yield_end
        popq    %rbp
        .cfi_def_cfa rsp, 8
        popq    %rdx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rdx
        jmpq    *%rdx
        .cfi_endproc
        .size   tri_detail_coroutine_yield, .-tri_detail_coroutine_yield

        .section .note.GNU-stack, "", @progbits
