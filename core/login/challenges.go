package login

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strconv"
	"time"
)

// Bounds of challenges.
const (
	maxChallenges = 3
	maxWrong      = 5
	// ChallengeLife is how long a challenge is good: long enough for a
	// telephone call (REQ C4).
	ChallengeLife = 30 * time.Minute
)

// challenge is one that was shown and not yet answered.
type challenge struct {
	Nonce  string        `json:"nonce"`
	For    string        `json:"for"` // the caller
	Issued int64         `json:"issued"`
	At     moment        `json:"at"`
	Life   time.Duration `json:"life"`
	Wrong  int           `json:"wrong"`
}

func (c *challenge) sane() bool {
	b, err := hex.DecodeString(c.Nonce)
	return err == nil && len(b) == 16 && c.Life > 0
}

// left is for how much longer it is good.
func (c *challenge) left(now moment) time.Duration {
	d, ok := c.At.elapsed(now)
	if !ok {
		return 0
	}
	return max(0, c.Life-d)
}

// spent reports whether it was answered wrongly too often. The last answer
// may still be under way.
func (c *challenge) spent() bool { return c.Wrong >= maxWrong }

// facts are what the plugin is told.
func (c *challenge) facts(system string, now moment) map[string]string {
	age, _ := c.At.elapsed(now)
	return map[string]string{
		"challenge.host": system, "challenge.nonce": c.Nonce, "challenge.issued": strconv.FormatInt(c.Issued, 10),
		"challenge.age": age.String(), "challenge.life": c.left(now).String(),
	}
}

var errManyChallenges = errors.New("there are too many open challenges on this system; answer one, or wait until one expires")

// open returns the caller's challenge, or a new one. A new one takes the place
// of the old.
func (st *state) open(who string, fresh, root bool, now moment, wall time.Time) (*challenge, error) {
	var others []*challenge
	for _, c := range st.Challenges {
		if c.For != who {
			others = append(others, c)
		} else if !fresh && !c.spent() {
			return c, nil
		}
	}
	if len(others) >= maxChallenges {
		if !root {
			return nil, errManyChallenges
		}
		others = others[1:] // root is not kept out by others
	}
	nonce := make([]byte, 16)
	rand.Read(nonce)
	c := &challenge{Nonce: hex.EncodeToString(nonce), For: who, Issued: wall.Unix(), At: now, Life: ChallengeLife}
	st.Challenges = append(others, c)
	return c, nil
}

// find returns the challenge with a nonce while an answer is admitted.
func (st *state) find(nonce string) *challenge {
	for _, c := range st.Challenges {
		if c.Nonce == nonce && !c.spent() {
			return c
		}
	}
	return nil
}

// take removes a challenge and reports whether it was there: of two who answer
// it, one gets in.
func (st *state) take(nonce string) bool {
	n := len(st.Challenges)
	st.Challenges = filter(st.Challenges, func(c *challenge) bool { return c.Nonce != nonce })
	return len(st.Challenges) < n
}
