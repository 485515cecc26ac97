//go:build !purego

#include "textflag.h"

// Registers: X0 to X7 the state S0 to S7, X8 and X9 the message M0 and M1, X10 to
// X13 work. DI points to the state, SI and DX to source and destination, CX counts.

#define LOAD \
	VMOVDQU 0(DI), X0  \
	VMOVDQU 16(DI), X1 \
	VMOVDQU 32(DI), X2 \
	VMOVDQU 48(DI), X3 \
	VMOVDQU 64(DI), X4 \
	VMOVDQU 80(DI), X5 \
	VMOVDQU 96(DI), X6 \
	VMOVDQU 112(DI), X7

#define STORE \
	VMOVDQU X0, 0(DI)  \
	VMOVDQU X1, 16(DI) \
	VMOVDQU X2, 32(DI) \
	VMOVDQU X3, 48(DI) \
	VMOVDQU X4, 64(DI) \
	VMOVDQU X5, 80(DI) \
	VMOVDQU X6, 96(DI) \
	VMOVDQU X7, 112(DI)

// UPDATE is that of the draft: each block becomes a round of AES of the one before
// it with itself as the key of the round, from the last one on, so that one copy
// is enough. The message is added to S0 and S4 first.
#define UPDATE \
	VMOVDQA X7, X10     \
	VAESENC X7, X6, X7  \
	VAESENC X6, X5, X6  \
	VAESENC X5, X4, X5  \
	VPXOR   X9, X4, X4  \
	VAESENC X4, X3, X4  \
	VAESENC X3, X2, X3  \
	VAESENC X2, X1, X2  \
	VAESENC X1, X0, X1  \
	VPXOR   X8, X0, X0  \
	VAESENC X0, X10, X0

// STREAM leaves in X11 and X12 what the next block is added to: S6^S1^(S2&S3) and
// S2^S5^(S6&S7).
#define STREAM \
	VPAND X2, X3, X11   \
	VPAND X6, X7, X12   \
	VPXOR X1, X6, X13   \
	VPXOR X13, X11, X11 \
	VPXOR X2, X5, X13   \
	VPXOR X13, X12, X12

// func update(s *state, m *[32]byte, times int)
TEXT ·update(SB), NOSPLIT, $0-24
	MOVQ    s+0(FP), DI
	MOVQ    m+8(FP), SI
	MOVQ    times+16(FP), CX
	LOAD
	VMOVDQU 0(SI), X8
	VMOVDQU 16(SI), X9

next:
	UPDATE
	DECQ CX
	JNZ  next
	STORE
	RET

// func seal(s *state, dst, src *byte, blocks int)
TEXT ·seal(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ dst+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ blocks+24(FP), CX
	LOAD

next:
	VMOVDQU 0(SI), X8
	VMOVDQU 16(SI), X9
	STREAM
	VPXOR   X8, X11, X11
	VPXOR   X9, X12, X12
	VMOVDQU X11, 0(DX)
	VMOVDQU X12, 16(DX)
	UPDATE
	ADDQ    $32, SI
	ADDQ    $32, DX
	DECQ    CX
	JNZ     next
	STORE
	RET

// func open(s *state, dst, src *byte, blocks int)
TEXT ·open(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ dst+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ blocks+24(FP), CX
	LOAD

next:
	STREAM
	VPXOR   0(SI), X11, X8
	VPXOR   16(SI), X12, X9
	VMOVDQU X8, 0(DX)
	VMOVDQU X9, 16(DX)
	UPDATE
	ADDQ    $32, SI
	ADDQ    $32, DX
	DECQ    CX
	JNZ     next
	STORE
	RET
