package connecttest

import (
	"sync"

	"github.com/latchstring/latchstring/core/policy"
)

// Policy allows everything, recorded, but what it is told to deny.
type Policy struct {
	mu     sync.Mutex
	denied map[policy.Action]string
}

// Deny denies an action from now on, for a reason.
func (p *Policy) Deny(a policy.Action, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.denied == nil {
		p.denied = map[policy.Action]string{}
	}
	p.denied[a] = why
}

// Decide implements policy.Decider.
func (p *Policy) Decide(a policy.Action, _ policy.Facts) policy.Decision {
	p.mu.Lock()
	defer p.mu.Unlock()
	why, denied := p.denied[a]
	return policy.Decision{Allowed: !denied, Reason: why, Duties: policy.Duties{Record: true}}
}
