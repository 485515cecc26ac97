// Package cork makes a TLS connection good for streams of many bytes.
//
//	below := cork.New(raw)
//	t := tls.Client(below, cfg)
//	conn := cork.Over(t, below)
//
// TLS has records of 16 KiB, and crypto/tls makes a system call for each of them
// in either direction. Over a Conn the records of one large write go to the
// kernel together, and reads take as much as has come in, once it shows that
// much comes. What is small goes through as it is, at once, and a connection
// over which little goes keeps no buffer.
package cork
