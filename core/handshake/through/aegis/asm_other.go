//go:build !amd64 || purego

package aegis

const available = false

const missing = "aegis: no assembly in this build"

func update(*state, *[block]byte, int) { panic(missing) }

func seal(*state, *byte, *byte, int) { panic(missing) }

func open(*state, *byte, *byte, int) { panic(missing) }
