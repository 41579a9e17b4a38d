// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Loops without calls that keep a known value in every register and in the red
// zone and compare them all the time, until *stop is not 0. Each returns 0, or
// how it failed. And what an injected call does to all of them.

#define GENERAL rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, \
    r14, r15
#define ALL_32 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, \
    18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31

        .text

// uint64_t tri_torture_general(const uint32_t* stop)
// 15 general registers (stop's address lies in the red zone), 15 words of red
// zone, the carry and direction flags.
        .globl  tri_torture_general
        .type   tri_torture_general, @function
        .p2align 4
tri_torture_general:
        .cfi_startproc
        .irp    reg, rbp, rbx, r12, r13, r14, r15
        pushq   %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \reg, 0
        .endr
        movq    %rdi, -8(%rsp)
        .set    n, 1
        .irp    reg, GENERAL
        movq    $0x01010101 * n, %\reg
        movq    %\reg, -8 - 8 * n(%rsp)
        .set    n, n + 1
        .endr
        std
1:
        .set    n, 1
        .irp    reg, GENERAL
        cmpq    $0x01010101 * n, %\reg
        jne     8f
        cmpq    $0x01010101 * n, -8 - 8 * n(%rsp)
        jne     7f
        .set    n, n + 1
        .endr
        stc
        .rept   16
        nop
        .endr
        jnc     6f
        // One register for the look at *stop, and back.
        movq    -8(%rsp), %rax
        movl    (%rax), %eax
        testl   %eax, %eax
        movq    $0x01010101, %rax
        jz      1b
        // The red zone is no longer needed.
        pushfq
        .cfi_adjust_cfa_offset 8
        popq    %rax
        .cfi_adjust_cfa_offset -8
        cld
        testl   $0x400, %eax            // the direction flag
        movl    $0, %eax
        jnz     9f
        movl    $4, %eax
        jmp     9f
6:      movl    $3, %eax
        jmp     5f
7:      movl    $2, %eax
        jmp     5f
8:      movl    $1, %eax
5:      cld
9:
        .irp    reg, r15, r14, r13, r12, rbx, rbp
        popq    %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore \reg
        .endr
        retq
        .cfi_endproc
        .size   tri_torture_general, .-tri_torture_general
        .globl  tri_torture_general_end
tri_torture_general_end:

// Around a vector loop: control words that nobody else has, one x87 value.
        .macro  BEGIN_FP
        stmxcsr -8(%rsp)
        fnstcw  -16(%rsp)
        movl    $0x7f80, -24(%rsp)      // round towards zero
        ldmxcsr -24(%rsp)
        movw    $0x0f7f, -32(%rsp)      // the same
        fldcw   -32(%rsp)
        fldpi
        .endm
// eax: 0 so far. 10, 11, 12: which was lost.
        .macro  END_FP
        movl    $0, -24(%rsp)
        stmxcsr -24(%rsp)
        movl    -24(%rsp), %ecx
        andl    $0xffc0, %ecx
        cmpl    $0x7f80, %ecx
        movl    $10, %ecx
        cmovnel %ecx, %eax
        movl    $0, -24(%rsp)
        fnstcw  -24(%rsp)
        movl    $11, %ecx
        cmpw    $0x0f7f, -24(%rsp)
        cmovnel %ecx, %eax
        fldpi
        fcomip  %st(1), %st
        fstp    %st(0)
        movl    $12, %ecx
        cmovnel %ecx, %eax
        cmovpl  %ecx, %eax
        ldmxcsr -8(%rsp)
        fldcw   -16(%rsp)
        retq
        .endm

// uint64_t tri_torture_sse(const uint32_t* stop, const void* table)
// xmm0-14 against 16-byte rows of the table. Likewise ymm and zmm, with rows of
// 32 and 64 bytes.
        .globl  tri_torture_sse
        .type   tri_torture_sse, @function
        .p2align 4
tri_torture_sse:
        .cfi_startproc
        BEGIN_FP
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14
        movdqu  16 * \n(%rsi), %xmm\n
        .endr
1:
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14
        movdqu  16 * \n(%rsi), %xmm15
        pcmpeqb %xmm\n, %xmm15
        pmovmskb %xmm15, %eax
        cmpl    $0xffff, %eax
        jne     8f
        .endr
        cmpl    $0, (%rdi)
        je      1b
        xorl    %eax, %eax
        jmp     9f
8:      movl    $1, %eax
9:      END_FP
        .cfi_endproc
        .size   tri_torture_sse, .-tri_torture_sse

        .globl  tri_torture_avx
        .type   tri_torture_avx, @function
        .p2align 4
tri_torture_avx:
        .cfi_startproc
        BEGIN_FP
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14
        vmovdqu 32 * \n(%rsi), %ymm\n
        .endr
1:
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14
        vpcmpeqb 32 * \n(%rsi), %ymm\n, %ymm15
        vpmovmskb %ymm15, %eax
        cmpl    $-1, %eax
        jne     8f
        .endr
        cmpl    $0, (%rdi)
        je      1b
        xorl    %eax, %eax
        jmp     9f
8:      movl    $1, %eax
9:      vzeroupper
        END_FP
        .cfi_endproc
        .size   tri_torture_avx, .-tri_torture_avx

// zmm0-31 and k1-k7 (k0 is the scratch).
        .globl  tri_torture_avx512
        .type   tri_torture_avx512, @function
        .p2align 4
tri_torture_avx512:
        .cfi_startproc
        BEGIN_FP
        .irp    n, ALL_32
        vmovdqu64 64 * \n(%rsi), %zmm\n
        .endr
        .irp    n, 1,2,3,4,5,6,7
        movl    $0x1111 * \n, %eax
        kmovw   %eax, %k\n
        .endr
1:
        .irp    n, ALL_32
        vpcmpeqd 64 * \n(%rsi), %zmm\n, %k0
        kmovw   %k0, %eax
        cmpl    $0xffff, %eax
        jne     8f
        .endr
        .irp    n, 1,2,3,4,5,6,7
        kmovw   %k\n, %eax
        cmpl    $0x1111 * \n, %eax
        jne     7f
        .endr
        cmpl    $0, (%rdi)
        je      1b
        xorl    %eax, %eax
        jmp     9f
7:      movl    $2, %eax
        jmp     9f
8:      movl    $1, %eax
9:      vzeroupper
        END_FP
        .cfi_endproc
        .size   tri_torture_avx512, .-tri_torture_avx512

// void tri_trash(int level): other values in all that a call may change, and in
// what belongs to the thread. 0: SSE, 1: AVX, 2: AVX-512
        .globl  tri_trash
        .type   tri_trash, @function
        .p2align 4
tri_trash:
        .cfi_startproc
        fninit
        fldz
        movl    $0x1f80, -8(%rsp)
        ldmxcsr -8(%rsp)
        cmpl    $1, %edi
        jg      2f
        je      1f
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        pcmpeqd %xmm\n, %xmm\n
        .endr
        jmp     3f
1:      .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        vpcmpeqd %ymm\n, %ymm\n, %ymm\n
        .endr
        jmp     3f
2:      .irp    n, ALL_32
        vpternlogd $0xff, %zmm\n, %zmm\n, %zmm\n
        .endr
        .irp    n, 0,1,2,3,4,5,6,7
        kxnorw  %k\n, %k\n, %k\n
        .endr
3:      fstp    %st(0)
        .irp    reg, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
        movq    $-1, %\reg
        .endr
        retq
        .cfi_endproc
        .size   tri_trash, .-tri_trash

        .section .note.GNU-stack, "", @progbits
