//go:build amd64 && !purego

#include "textflag.h"

// PLANE is the size of a Plane.
#define PLANE 8320

// Registers: Y15 nibble mask; Y14/Y13 and Y12/Y11 the class tables; Y10/Y9 the
// first tables of the needles, the others are in memory; Y0..Y8 work.

// NIBBLES splits the bytes of Y0 into nibbles: Y1 low, Y2 high.
#define NIBBLES \
	VPAND   Y15, Y0, Y1 \
	VPSRLW  $4, Y0, Y2  \
	VPAND   Y15, Y2, Y2

// FIFTH moves the fifth bit of the bytes of Y0 to the top: Y7.
#define FIFTH \
	VPSLLW $3, Y0, Y7

// BIT stores the top bits of the bytes of Y3 and moves the next bit up.
#define BIT(off) \
	VPMOVMSKB Y3, AX      \
	MOVL      AX, off(DI) \
	VPADDB    Y3, Y3, Y3

// PLACE applies the tables of one place of the needles to a set of buckets: the
// low five bits of a byte choose among the thirty-two entries of two tables,
// the high nibble among those of a third.
#define PLACE(set, off) \
	VMOVDQU   off(DX), Y4     \
	VMOVDQU   off+32(DX), Y8  \
	VPSHUFB   Y1, Y4, Y4      \
	VPSHUFB   Y1, Y8, Y8      \
	VPBLENDVB Y7, Y8, Y4, Y4  \
	VMOVDQU   off+64(DX), Y8  \
	VPSHUFB   Y2, Y8, Y8      \
	VPAND     set, Y4, set    \
	VPAND     set, Y8, set

// WORD applies a table of the words: Y6.
#define WORD(nibbles, off) \
	VMOVDQU off(BX), Y4     \
	VPSHUFB nibbles, Y4, Y4 \
	VPAND   Y6, Y4, Y6

// HALF does 32 bytes at src; their bits go to half off of the words.
#define HALF(src, off) \
	VMOVDQU   src(SI), Y0     \
	VPMOVMSKB Y0, AX          \
	MOVL      AX, 10*PLANE+off(DI)  \
	NIBBLES                   \
	FIFTH                     \
	VPSHUFB   Y1, Y14, Y3     \
	VPSHUFB   Y2, Y13, Y4     \
	VPAND     Y3, Y4, Y3      \
	BIT(0*PLANE+off)                \
	BIT(1*PLANE+off)                \
	BIT(2*PLANE+off)               \
	VPMOVMSKB Y3, AX          \
	ORL       AX, 2*PLANE+off(DI)  \
	VPADDB    Y3, Y3, Y3      \
	BIT(3*PLANE+off)               \
	BIT(4*PLANE+off)               \
	BIT(5*PLANE+off)               \
	BIT(6*PLANE+off)               \
	VPSHUFB   Y1, Y12, Y3     \
	VPSHUFB   Y2, Y11, Y4     \
	VPAND     Y3, Y4, Y3      \
	BIT(7*PLANE+off)               \
	BIT(8*PLANE+off)               \
	BIT(9*PLANE+off)               \
	VPMOVMSKB Y3, AX          \
	ORL       AX, 10*PLANE+off(DI)  \
	VPADDB    Y3, Y3, Y3      \
	VPMOVMSKB Y3, AX          \
	ORL       AX, 10*PLANE+off(DI)  \
	VPSHUFB   Y1, Y10, Y3     \
	VPSHUFB   Y1, Y9, Y4      \
	VPBLENDVB Y7, Y4, Y3, Y3  \
	VMOVDQU   224(DX), Y4     \
	VPSHUFB   Y2, Y4, Y4      \
	VPAND     Y3, Y4, Y3      \
	VMOVDQU   544(DX), Y4     \
	VPSHUFB   Y1, Y4, Y5      \
	VMOVDQU   576(DX), Y4     \
	VPSHUFB   Y1, Y4, Y4      \
	VPBLENDVB Y7, Y4, Y5, Y5  \
	VMOVDQU   608(DX), Y4     \
	VPSHUFB   Y2, Y4, Y4      \
	VPAND     Y5, Y4, Y5      \
	VMOVDQU   0(BX), Y4       \
	VPSHUFB   Y1, Y4, Y6      \
	WORD(Y2, 32)              \
	VMOVDQU   src+1(SI), Y0   \
	NIBBLES                   \
	FIFTH                     \
	PLACE(Y3, 256)            \
	PLACE(Y5, 640)            \
	WORD(Y1, 64)              \
	WORD(Y2, 96)              \
	VMOVDQU   src+2(SI), Y0   \
	NIBBLES                   \
	FIFTH                     \
	PLACE(Y3, 352)            \
	PLACE(Y5, 736)            \
	WORD(Y1, 128)             \
	WORD(Y2, 160)             \
	VMOVDQU   src+3(SI), Y0   \
	NIBBLES                   \
	FIFTH                     \
	PLACE(Y3, 448)            \
	PLACE(Y5, 832)            \
	VPOR      Y5, Y3, Y3      \
	VPXOR     Y4, Y4, Y4      \
	VPCMPEQB  Y3, Y4, Y3      \
	VPMOVMSKB Y3, AX          \
	NOTL      AX              \
	MOVL      AX, 11*PLANE+off(DI)  \
	VPXOR     Y4, Y4, Y4      \
	VPCMPEQB  Y6, Y4, Y6      \
	VPMOVMSKB Y6, AX          \
	NOTL      AX              \
	MOVL      AX, 12*PLANE+off(DI)

// func fillAVX2(dst *Plane, src *byte, blocks int, t *tables, w *Words)
TEXT ·fillAVX2(SB), NOSPLIT, $0-40
	MOVQ    dst+0(FP), DI
	MOVQ    src+8(FP), SI
	MOVQ    blocks+16(FP), CX
	MOVQ    t+24(FP), DX
	MOVQ    w+32(FP), BX
	VMOVDQU 0(DX), Y15
	VMOVDQU 32(DX), Y14
	VMOVDQU 64(DX), Y13
	VMOVDQU 96(DX), Y12
	VMOVDQU 128(DX), Y11
	VMOVDQU 160(DX), Y10
	VMOVDQU 192(DX), Y9

loop:
	TESTQ CX, CX
	JE    done
	HALF(0, 0)
	HALF(32, 4)
	ADDQ  $64, SI
	ADDQ  $8, DI
	DECQ  CX
	JMP   loop

done:
	VZEROUPPER
	RET
