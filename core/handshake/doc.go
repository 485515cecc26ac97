// Package handshake makes an engineer's program and a system sure of each
// other over a stream that anybody may listen to or change: the relay splices
// it, and is not trusted with anything.
//
// The system's side has a [Gate] for each session, which holds its secret:
//
//	gate, err := handshake.New(secret, handshake.GateOptions{Counter: store, Burnt: alarm})
//	conn, err := gate.Accept(ctx, raw, handshake.ServerOptions{Offer: offer, SupportCA: ca})
//	req, err := conn.Requested(ctx)         // what the engineer wants: a stream, new or old
//	err = conn.Grant(ctx, stream, received) // or conn.Hold while somebody is asked, or conn.Deny
//
// The engineer's:
//
//	conn, err := handshake.Connect(ctx, raw, handshake.ClientOptions{System: id, Certificate: cert, Secret: ask})
//	reply, err := conn.Ask(ctx, handshake.Request{Open: true}, show)
//
// # What is exchanged
//
// A message is a type (1 byte), a length (2 bytes, big endian) and a payload.
//
//	system    offer    JSON: version, system, session, SSH host key, end, policy, nonce
//	engineer  claim    JSON: version, mode, certificate, case, witness, nonce, enrolment
//	engineer  share    32 bytes
//	  secret:   the attempt is counted on disk; only then
//	system    answer   share (32 bytes), proof (64)
//	engineer  proof    64 bytes, only if the system's is right
//	  enrolled: the engineer's proof goes with the share, the answer ends it
//	both      sealed   ChaCha20-Poly1305, a key a direction, numbered
//
// Either side may send refuse, a code and a reason, instead of its message. It
// is not authenticated: an [Error] that came so says that anybody on the way
// could have written it.
//
// With a secret this is package pake: the offer is the associated data of the
// system, the claim that of the engineer, exactly as they were on the wire. So
// whoever swaps a host key, certificate, case, version or mode is in the same
// place as somebody with a wrong secret. The first success makes an
// [Enrolment], a strong key of this engineer for the rest of the session; with
// it later connections need no secret and cost no attempt. Their shares are of
// X25519, so that the key that is kept on the engineer's disk opens no recording of
// earlier connections.
//
// # What it takes to get in
//
// Two of two: the secret, which the customer gave, and a certificate of the
// vendor's CA for an engineer and this system. The certificate is looked at
// before the secret is; that the engineer has its key is shown by SSH inside.
//
// # Guessing
//
// Every attempt that was answered and not proved right counts, whatever became
// of the connection; with those under way there are never more than
// GateOptions.Tries. The last wrong one burns the secret, which is then
// overwritten. Right ones are taken back and do not set the others to zero.
package handshake
