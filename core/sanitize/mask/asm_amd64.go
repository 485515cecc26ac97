//go:build amd64 && !purego

package mask

const haveAVX2 = true

//go:noescape
func fillAVX2(dst *Block, src *byte, blocks int, t *tables, w *Words)

//go:noescape
func fillAVX512(dst *Block, src *byte, blocks int, t *tables128, w *words128)
