package ws

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
)

// NewKey makes a Sec-WebSocket-Key.
func NewKey() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// AcceptKey is the Sec-WebSocket-Accept for a key. SHA-1 is what RFC 6455
// says; it protects nothing, it shows that the server speaks the protocol.
func AcceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// SetRequest makes the header of a request that asks for the upgrade.
func SetRequest(h http.Header, key string) {
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", "websocket")
	h.Set("Sec-WebSocket-Version", "13")
	h.Set("Sec-WebSocket-Key", key)
}

// CheckRequest says what is wrong with a request for the upgrade.
func CheckRequest(r *http.Request) error {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1:
		return errors.New("a WebSocket is asked for with GET and HTTP/1.1")
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return errors.New("this address is for WebSockets: the request has no Upgrade: websocket; a proxy may have removed it")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return errors.New("only version 13 of the WebSocket protocol is spoken here")
	case err != nil || len(key) != 16:
		return errors.New("the Sec-WebSocket-Key is not 16 bytes in base64")
	case r.ContentLength != 0:
		return errors.New("a request for a WebSocket has no body")
	}
	return nil
}

// Response is the answer that accepts a request, ready to be sent. Further lines
// of its header are written "Name: value".
func Response(key string, lines ...string) []byte {
	b := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + AcceptKey(key) + "\r\n")
	for _, line := range lines {
		b = append(append(b, line...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// CheckResponse says whether an answer of status 101 is to our request.
func CheckResponse(h http.Header, key string) error {
	switch {
	case !hasToken(h, "Connection", "upgrade") || !hasToken(h, "Upgrade", "websocket"):
		return errors.New("the answer switches to something else than a WebSocket")
	case h.Get("Sec-WebSocket-Accept") != AcceptKey(key):
		return errors.New("the answer is not to this request: its Sec-WebSocket-Accept is wrong")
	case h.Get("Sec-WebSocket-Extensions") != "" || h.Get("Sec-WebSocket-Protocol") != "":
		return errors.New("the answer uses an extension or a protocol that was not asked for")
	}
	return nil
}

func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
