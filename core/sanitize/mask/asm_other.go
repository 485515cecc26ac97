//go:build !amd64 || purego

package mask

const haveAVX2 = false

func fillAVX2(*Plane, *byte, int, *tables, *Words) { panic("no AVX2 in this build") }

func fillAVX512(*Plane, *byte, int, *tables128, *words128) {
	panic("mask: no assembly on this machine")
}

func findAVX512(*Plane, *Found, int) { panic("mask: no assembly on this machine") }

func identifyAVX512(*Plane, *Found, int) uint64 { panic("mask: no assembly on this machine") }
