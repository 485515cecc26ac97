package code

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Action is what a response permits.
type Action byte

// Login is logging in to the support pages and commands, with the rights of an
// administrator of the array.
const Login Action = 1

func (a Action) String() string {
	if a == Login {
		return "log in"
	}
	return fmt.Sprintf("action %d", byte(a))
}

const (
	version      = 1
	challengeLen = 1 + 1 + 8 + 16 + 5
)

// Host names a system in a challenge.
type Host [8]byte

// HostOf makes the name from the system's id.
func HostOf(id string) Host {
	sum := sha256.Sum256([]byte("latchstring-host\x00" + id))
	return Host(sum[:8])
}

// Challenge is what a system asks.
type Challenge struct {
	Host   Host
	Action Action
	Nonce  [16]byte
	Issued time.Time // whole seconds
}

func (c Challenge) bytes() []byte {
	b := append(make([]byte, 0, challengeLen), version, byte(c.Action))
	b = append(b, c.Host[:]...)
	b = append(b, c.Nonce[:]...)
	var seconds [8]byte
	binary.BigEndian.PutUint64(seconds[:], uint64(c.Issued.Unix()))
	return append(b, seconds[3:]...)
}

// Text is the challenge in groups, some 65 characters.
func (c Challenge) Text() string { return encode("challenge", c.bytes()) }

// Fingerprint is six characters with which two people make sure that they speak
// of the same challenge.
func (c Challenge) Fingerprint() string {
	h := c.hash()
	out := make([]byte, 6)
	for i := range out {
		out[i] = alphabet[h[i]&31]
	}
	return string(out[:3]) + "-" + string(out[3:])
}

func (c Challenge) hash() [8]byte {
	sum := sha256.Sum256(append([]byte("latchstring-challenge\x00"), c.bytes()...))
	return [8]byte(sum[:8])
}

// ParseChallenge reads the text of a challenge.
func ParseChallenge(text string) (Challenge, error) {
	b, err := decode("challenge", text)
	if err != nil {
		if _, other := decode("response", text); other == nil {
			return Challenge{}, typo("this is a response, not a challenge")
		}
		return Challenge{}, err
	}
	if b[0] != version {
		return Challenge{}, fmt.Errorf("this challenge is of version %d; this program knows version %d", b[0], version)
	}
	if len(b) != challengeLen {
		return Challenge{}, fmt.Errorf("this challenge has %d bytes instead of %d", len(b), challengeLen)
	}
	c := Challenge{Action: Action(b[1]), Host: Host(b[2:10]), Nonce: [16]byte(b[10:26])}
	if c.Action != Login {
		return Challenge{}, fmt.Errorf("this challenge asks for %s, which this program does not know", c.Action)
	}
	c.Issued = time.Unix(int64(binary.BigEndian.Uint64(append(make([]byte, 3, 8), b[26:]...))), 0).UTC()
	return c, nil
}
