//go:build amd64 && !purego

package mask

const haveAVX2 = true

//go:noescape
func fillAVX2(dst *Plane, src *byte, blocks int, t *tables, w *Words)

//go:noescape
func fillAVX512(dst *Plane, src *byte, blocks int, t *tables128, w *words128)

//go:noescape
func findAVX512(m *Plane, f *Found, groups int)

//go:noescape
func identifyAVX512(m *Plane, f *Found, groups int) (open uint64)
