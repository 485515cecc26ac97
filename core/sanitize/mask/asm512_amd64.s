//go:build amd64 && !purego

#include "textflag.h"

// PLANE is the size of a Plane.
#define PLANE 8320

// A byte chooses among the 128 entries of a pair of registers by its low seven
// bits, so that a place of the needles takes one look-up for eight buckets.
//
// Registers: Z31:Z30 and Z29:Z28 the class tables; Z4..Z19 those of the needles,
// four for each place; Z20..Z25 those of the words; Z0..Z3, Z26, Z27 work. K1 has
// the bytes below 0x80.

// BIT512 stores the top bits of the bytes of z and moves the next bit up.
#define BIT512(z, off) \
	VPMOVB2M z, K2      \
	KMOVQ    K2, off(DI) \
	VPADDB   z, z, z

// PLACE512 applies the tables of a place to both sets of buckets: Z26, Z27.
#define PLACE512(lowA, highA, lowB, highB) \
	VMOVDQA64 Z0, Z1            \
	VPERMI2B  highA, lowA, Z1   \
	VPANDQ    Z1, Z26, Z26      \
	VMOVDQA64 Z0, Z2            \
	VPERMI2B  highB, lowB, Z2   \
	VPANDQ    Z2, Z27, Z27

// func fillAVX512(dst *Plane, src *byte, blocks int, t *tables128, w *words128)
TEXT ·fillAVX512(SB), NOSPLIT, $0-40
	MOVQ      dst+0(FP), DI
	MOVQ      src+8(FP), SI
	MOVQ      blocks+16(FP), CX
	MOVQ      t+24(FP), DX
	MOVQ      w+32(FP), BX
	VMOVDQU64 0(DX), Z30
	VMOVDQU64 64(DX), Z31
	VMOVDQU64 128(DX), Z28
	VMOVDQU64 192(DX), Z29
	VMOVDQU64 256(DX), Z4
	VMOVDQU64 320(DX), Z5
	VMOVDQU64 768(DX), Z6
	VMOVDQU64 832(DX), Z7
	VMOVDQU64 384(DX), Z8
	VMOVDQU64 448(DX), Z9
	VMOVDQU64 896(DX), Z10
	VMOVDQU64 960(DX), Z11
	VMOVDQU64 512(DX), Z12
	VMOVDQU64 576(DX), Z13
	VMOVDQU64 1024(DX), Z14
	VMOVDQU64 1088(DX), Z15
	VMOVDQU64 640(DX), Z16
	VMOVDQU64 704(DX), Z17
	VMOVDQU64 1152(DX), Z18
	VMOVDQU64 1216(DX), Z19
	VMOVDQU64 0(BX), Z20
	VMOVDQU64 64(BX), Z21
	VMOVDQU64 128(BX), Z22
	VMOVDQU64 192(BX), Z23
	VMOVDQU64 256(BX), Z24
	VMOVDQU64 320(BX), Z25

loop:
	TESTQ      CX, CX
	JE         done
	VMOVDQU64  0(SI), Z0
	VPMOVB2M   Z0, K1
	KMOVQ      K1, AX
	KNOTQ      K1, K1
	VMOVDQA64  Z0, Z1
	VPERMI2B.Z Z31, Z30, K1, Z1
	VMOVDQA64  Z0, Z2
	VPERMI2B.Z Z29, Z28, K1, Z2
	BIT512(Z1, 0*PLANE)
	BIT512(Z1, 1*PLANE)
	BIT512(Z1, 2*PLANE)
	BIT512(Z1, 3*PLANE)
	BIT512(Z1, 4*PLANE)
	BIT512(Z1, 5*PLANE)
	BIT512(Z1, 6*PLANE)
	BIT512(Z1, 7*PLANE)
	BIT512(Z2, 8*PLANE)
	BIT512(Z2, 9*PLANE)
	VPMOVB2M   Z2, K2
	KMOVQ      K2, R8
	ORQ        R8, AX
	MOVQ       AX, 10*PLANE(DI)
	VMOVDQA64  Z0, Z26
	VPERMI2B   Z5, Z4, Z26
	VMOVDQA64  Z0, Z27
	VPERMI2B   Z7, Z6, Z27
	VMOVDQA64  Z0, Z3
	VPERMI2B   Z21, Z20, Z3
	VMOVDQU64  1(SI), Z0
	PLACE512(Z8, Z9, Z10, Z11)
	VPERMI2B   Z23, Z22, Z0
	VPANDQ     Z0, Z3, Z3
	VMOVDQU64  2(SI), Z0
	PLACE512(Z12, Z13, Z14, Z15)
	VPERMI2B   Z25, Z24, Z0
	VPANDQ     Z0, Z3, Z3
	VMOVDQU64  3(SI), Z0
	PLACE512(Z16, Z17, Z18, Z19)
	VPORQ      Z26, Z27, Z26
	VPTESTMB   Z26, Z26, K2
	KMOVQ      K2, 11*PLANE(DI)
	VPTESTMB   Z3, Z3, K2
	KMOVQ      K2, 12*PLANE(DI)
	ADDQ       $64, SI
	ADDQ       $8, DI
	DECQ       CX
	JMP        loop

done:
	VZEROUPPER
	RET
