//go:build amd64 && !purego

#include "textflag.h"

// PLANE is the size of a Plane.
#define PLANE 8320

// The planes, from the word that SI points at.
#define DIGIT  0*PLANE
#define HEXAF  1*PLANE
#define LETTER 2*PLANE
#define DOT    3*PLANE
#define COLON  4*PLANE
#define AT     5*PLANE
#define LINE   6*PLANE
#define UNDER  7*PLANE
#define DASH   8*PLANE
#define SLASH  9*PLANE
#define HIGH   10*PLANE
#define WORD   12*PLANE
#define TOKEN  13*PLANE
#define LABEL  14*PLANE

// What a Found has, from DI.
#define COUNT(k)  (8*k)
#define PLACES(k) (128+k*PLANE)
#define BITS(k)   (128+9*PLANE+k*PLANE)

// BEFORE puts the words before those of cur into dst; last has the eight before
// and becomes cur.
#define BEFORE(cur, last, dst) \
	VALIGNQ   $7, last, cur, dst \
	VMOVDQA64 cur, last

// EMIT appends those of the eight words in z that are not zero, and their places,
// which Z30 has. n counts them.
#define EMIT(z, k, n) \
	VPTESTMQ     z, z, K1                     \
	VPCOMPRESSQ  z, K1, Z22                   \
	VPCOMPRESSQ  Z30, K1, Z23                 \
	VMOVDQU64    Z22, BITS(k)(DI)(n*8)        \
	VMOVDQU64    Z23, PLACES(k)(DI)(n*8)      \
	KMOVB        K1, AX                       \
	POPCNTL      AX, AX                       \
	ADDQ         AX, n

// SHIFTED ORs into dst the words of cur shifted by a to a+2.
#define SHIFTED(cur, before, a, b, c, dst) \
	VPSHLDQ    $a, before, cur, dst \
	VPSHLDQ    $b, before, cur, Z22 \
	VPSHLDQ    $c, before, cur, Z23 \
	VPTERNLOGQ $0xfe, Z22, Z23, dst

DATA places<>+0(SB)/8, $0
DATA places<>+8(SB)/8, $64
DATA places<>+16(SB)/8, $128
DATA places<>+24(SB)/8, $192
DATA places<>+32(SB)/8, $256
DATA places<>+40(SB)/8, $320
DATA places<>+48(SB)/8, $384
DATA places<>+56(SB)/8, $448
GLOBL places<>(SB), RODATA, $64

// START makes the places of the first eight words (Z30), the step (Z29) and zeros
// and ones.
#define START \
	VMOVDQU64    places<>(SB), Z30   \
	MOVL         $512, AX            \
	VPBROADCASTQ AX, Z29             \
	VPTERNLOGQ   $0xff, Z31, Z31, Z31

// func findAVX512(m *Plane, f *Found, groups int)
TEXT ·findAVX512(SB), NOSPLIT, $0-24
	MOVQ   m+0(FP), SI
	MOVQ   f+8(FP), DI
	MOVQ   groups+16(FP), CX
	START
	VPXORQ Z28, Z28, Z28 // rows of one
	VPXORQ Z27, Z27, Z27 // of two
	VPXORQ Z26, Z26, Z26 // of four
	VPXORQ Z25, Z25, Z25 // of eight
	VPXORQ Z24, Z24, Z24 // of sixteen
	XORQ   R8, R8
	XORQ   R9, R9

runs:
	TESTQ      CX, CX
	JE         ran
	VMOVDQU64  HIGH(SI), Z0
	VMOVDQU64  HIGH-8(SI), Z1
	VPSHLDQ    $1, Z1, Z0, Z1
	VPANDNQ    Z0, Z1, Z0
	EMIT(Z0, 0, R8)
	VMOVDQU64  DIGIT(SI), Z0
	VPORQ      LETTER(SI), Z0, Z0
	VPORQ      UNDER(SI), Z0, Z0
	VPORQ      DASH(SI), Z0, Z0
	VPORQ      DOT(SI), Z0, Z1
	VPORQ      SLASH(SI), Z1, Z1
	VMOVDQU64  Z1, TOKEN(SI)
	BEFORE(Z0, Z28, Z1)
	VPSHLDQ    $1, Z1, Z0, Z1
	VPANDQ     Z0, Z1, Z0
	BEFORE(Z0, Z27, Z1)
	VPSHLDQ    $2, Z1, Z0, Z1
	VPANDQ     Z0, Z1, Z0
	BEFORE(Z0, Z26, Z1)
	VPSHLDQ    $4, Z1, Z0, Z1
	VPANDQ     Z0, Z1, Z0
	BEFORE(Z0, Z25, Z1)
	VPSHLDQ    $8, Z1, Z0, Z1
	VPANDQ     Z0, Z1, Z0
	BEFORE(Z0, Z24, Z1)
	VPSHLDQ    $1, Z1, Z0, Z1
	VPANDNQ    Z0, Z1, Z0
	EMIT(Z0, 1, R9)
	VPADDQ     Z29, Z30, Z30
	ADDQ       $64, SI
	DECQ       CX
	JMP        runs

ran:
	MOVQ R8, COUNT(0)(DI)
	MOVQ R9, COUNT(1)(DI)
	VZEROUPPER
	RET

// func identifyAVX512(m *Plane, f *Found, groups int) (open uint64)
TEXT ·identifyAVX512(SB), NOSPLIT, $0-32
	MOVQ   m+0(FP), SI
	MOVQ   f+8(FP), DI
	MOVQ   groups+16(FP), CX
	START
	VPXORQ Z28, Z28, Z28 // digits behind a dot
	VPXORQ Z27, Z27, Z27 // of these, those behind another
	VPXORQ Z26, Z26, Z26 // pairs
	VPXORQ Z25, Z25, Z25 // two pairs
	VPXORQ Z24, Z24, Z24 // colons that are near another
	XORQ   DX, DX        // a label goes on
	XORQ   R8, R8
	XORQ   R9, R9
	XORQ   R10, R10
	XORQ   R11, R11
	XORQ   R12, R12
	XORQ   R13, R13
	XORQ   BX, BX

idents:
	TESTQ     CX, CX
	JE        identified

	// Four groups of digits.
	VMOVDQU64 DIGIT(SI), Z0
	VMOVDQU64 DIGIT-8(SI), Z1
	VMOVDQU64 DOT(SI), Z2
	VMOVDQU64 DOT-8(SI), Z3
	VPSHLDQ   $1, Z3, Z2, Z3             // Z3: behind a dot
	VPSHLDQ   $2, Z1, Z0, Z4
	VPTERNLOGQ $0x80, Z0, Z3, Z4
	BEFORE(Z4, Z28, Z5)
	SHIFTED(Z4, Z5, 2, 3, 4, Z6)
	VPANDQ    Z4, Z6, Z6
	BEFORE(Z6, Z27, Z5)
	SHIFTED(Z6, Z5, 2, 3, 4, Z7)
	VPANDQ    Z4, Z7, Z7
	EMIT(Z7, 2, R8)

	// Six pairs of hex digits.
	VPORQ     HEXAF(SI), Z0, Z4
	VPORQ     HEXAF-8(SI), Z1, Z5
	VPSHLDQ   $1, Z5, Z4, Z5
	VMOVDQU64 COLON(SI), Z6
	VMOVDQU64 COLON-8(SI), Z7
	VMOVDQU64 DASH(SI), Z8
	VPORQ     Z6, Z8, Z9
	VPORQ     DASH-8(SI), Z7, Z10
	VPSHLDQ   $2, Z10, Z9, Z9
	VPTERNLOGQ $0x80, Z5, Z9, Z4
	BEFORE(Z4, Z26, Z5)
	VPSHLDQ   $12, Z5, Z4, Z9
	VPSHLDQ   $3, Z5, Z4, Z5
	VPANDQ    Z4, Z5, Z5
	BEFORE(Z5, Z25, Z10)
	VPSHLDQ   $6, Z10, Z5, Z10
	VPTERNLOGQ $0x80, Z5, Z10, Z9
	EMIT(Z9, 3, R9)

	// Colons.
	SHIFTED(Z6, Z7, 3, 4, 5, Z4)
	VPSHLDQ   $2, Z7, Z6, Z5
	VPSHLDQ   $1, Z7, Z6, Z7
	VPTERNLOGQ $0xfe, Z5, Z7, Z4
	VPANDQ    Z6, Z4, Z4
	VPANDQ    Z6, Z7, Z7
	BEFORE(Z4, Z24, Z5)
	SHIFTED(Z4, Z5, 3, 4, 5, Z6)
	VPSHLDQ   $1, Z5, Z4, Z9
	VPSHLDQ   $2, Z5, Z4, Z5
	VPTERNLOGQ $0xfe, Z9, Z5, Z6
	VPANDQ    Z4, Z6, Z6
	VPORQ     Z7, Z6, Z6
	EMIT(Z6, 4, R10)

	// Lines, mail and the last labels of names.
	VMOVDQU64 LINE(SI), Z4
	EMIT(Z4, 5, R11)
	VMOVDQU64 AT(SI), Z9
	EMIT(Z9, 6, R12)
	VMOVDQU64 LETTER(SI), Z4
	VPORQ     LETTER-8(SI), Z1, Z1       // Z1: letters and digits before
	VPORQ     Z4, Z0, Z0                 // Z0: letters and digits
	VMOVDQU64 UNDER(SI), Z5
	VPORQ     Z0, Z5, Z6                 // Z6: and underscores
	VPTERNLOGQ $0xfe, Z2, Z6, Z8         // Z8: and dashes and dots
	VMOVDQU64 Z8, LABEL(SI)
	VPSHLDQ   $2, Z1, Z0, Z7
	VPTERNLOGQ $0x80, Z4, Z3, Z7         // the first letter behind a dot
	VPADDQ    Z7, Z0, Z7
	VPCMPUQ   $1, Z0, Z7, K2             // carries out
	VPCMPEQQ  Z31, Z7, K3                // would, with one coming in
	KMOVB     K2, AX
	KMOVB     K3, R15
	LEAQ      (DX)(AX*2), AX
	ADDQ      R15, AX
	MOVQ      AX, DX
	SHRQ      $8, DX
	XORQ      R15, AX
	KMOVB     AX, K2
	VPSUBQ    Z31, Z7, K2, Z7
	VPSRLQ    $1, Z0, Z4
	VPANDQ    Z2, Z4, Z4                 // dots with something behind
	VPORQ     DASH(SI), Z6, Z3
	VPTERNLOGQ $0xfe, Z9, Z3, Z4
	VPANDNQ   Z7, Z4, Z7
	EMIT(Z7, 7, R13)

	// Words.
	VPORQ     UNDER-8(SI), Z1, Z1
	VPSHLDQ   $1, Z1, Z6, Z1
	VPANDQ    WORD(SI), Z0, Z0
	VPANDNQ   Z0, Z1, Z0
	EMIT(Z0, 8, BX)

	VPADDQ    Z29, Z30, Z30
	ADDQ      $64, SI
	DECQ      CX
	JMP       idents

identified:
	MOVQ R8, COUNT(2)(DI)
	MOVQ R9, COUNT(3)(DI)
	MOVQ R10, COUNT(4)(DI)
	MOVQ R11, COUNT(5)(DI)
	MOVQ R12, COUNT(6)(DI)
	MOVQ R13, COUNT(7)(DI)
	MOVQ BX, COUNT(8)(DI)
	MOVQ DX, open+24(FP)
	VZEROUPPER
	RET
