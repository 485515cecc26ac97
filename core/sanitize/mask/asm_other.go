//go:build !amd64 || purego

package mask

const haveAVX2 = false

func fillAVX2(*Block, *byte, int, *tables, *Words) { panic("no AVX2 in this build") }

func fillAVX512(*Block, *byte, int, *tables128, *words128) {
	panic("mask: no assembly on this machine")
}
