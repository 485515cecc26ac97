// Package ws is the framing of WebSocket (RFC 6455), as much of it as carrying
// a stream of bytes needs: what proxies that look into TLS let pass.
//
//	conn := ws.Client(tlsConn) // after the HTTP exchange; or ws.Server
//	conn.Write(p)              // one or more binary frames
//	conn.Read(p)               // payload, whatever the frames were
//
// It is a stream, not a sequence of messages: frames and fragments are joined,
// since something in between may split and merge them. There are no extensions
// and no compression.
//
// # What it costs
//
// An idle connection holds no buffer: frames are read straight into the
// caller's memory, and written from memory that all connections share. It
// reads a frame's head with two short reads, so what lies below should buffer,
// as TLS does. A client masks what it sends, a server does not.
//
// # What it refuses
//
// Reserved bits and opcodes, text, lengths that are not in their shortest form,
// frames above [MaxFrame], control frames that are long or fragmented, masking
// in the wrong direction, and more than [maxControl] control frames without a
// byte of data between them. Each ends the connection.
//
// # Leaving the frames
//
// An empty text frame says that from here on the bytes of its direction are
// not framed any more: [Conn.Unframe] sends it, [ErrUnframed] reports it. Only
// package link uses it, when it is sure that nobody reads the frames on the way.
package ws
