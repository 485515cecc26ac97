package policy

import (
	"maps"
	"strconv"
	"strings"
	"time"
)

// request is a question, with its facts read.
type request struct {
	action   Action
	facts    Facts
	now      time.Time
	duration time.Duration
	bytes    int64
	hasBytes bool
}

// needed lists the facts without which an action is denied. An action that is
// not here does not exist.
var needed = map[Action][]Fact{
	BundleCreate:   nil,
	BundleCollect:  {Collector},
	BundleSend:     {RSS, Bytes},
	BundleWrite:    {Path},
	PluginLaunch:   {Role, Name, State},
	HostOpen:       {Path},
	HostRun:        {Command},
	TransportDial:  {Transport, Address},
	SessionOpen:    {User, Method, Roles, RSS, Transport, Duration},
	SessionExtend:  {User, Method, Roles, Duration},
	SessionResume:  nil,
	SessionClose:   {User},
	ConnectAccept:  {Engineer},
	AccessShell:    {Engineer, RunAs},
	AccessCommand:  {Engineer, RunAs, Command},
	AccessForward:  {Engineer, Address},
	AccessUpload:   {Engineer, Path},
	AccessFetch:    {Engineer, Path},
	RecordingShare: nil,
	NotifyDisable:  {Event},
	WebServe:       {Address},
}

// ask reads a question. A non-empty complaint denies it.
func (p *Policy) ask(action Action, facts Facts) (r request, complaint string) {
	r = request{action: action, facts: facts}
	need, known := needed[action]
	if !known {
		return r, "the action " + strconv.Quote(string(action)) + " is not known"
	}
	for _, f := range need {
		if facts[f] == "" {
			return r, "the fact " + string(f) + " is needed and missing"
		}
	}
	if t, told := facts[Time]; told {
		at, err := time.Parse(time.RFC3339, t)
		if err != nil {
			return r, "the fact time is not written like 2026-03-02T10:00:00Z"
		}
		r.now = at
	} else {
		r.now = p.now()
	}
	if s, told := facts[Duration]; told {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return r, "the fact duration is not written like 8h or 30m"
		}
		r.duration = d
	}
	if s, told := facts[Bytes]; told {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return r, "the fact bytes is no number"
		}
		r.bytes, r.hasBytes = n, true
	}
	switch {
	case facts[Path] != "" && (action == HostOpen || action == AccessUpload || action == AccessFetch):
		if _, ok := cleanPath(facts[Path]); !ok {
			return r, "the path is not absolute and without detours"
		}
	case facts[Address] != "":
		if _, ok := hostPort(facts[Address], ""); !ok {
			return r, "the address is not written host:port"
		}
	}
	return r, ""
}

// Decide answers whether action is allowed. It never fails: what it does not
// know, it denies. Facts that no rule asks for are kept in the answer only.
func (p *Policy) Decide(action Action, facts Facts) Decision {
	d := p.decide(action, facts)
	if !d.Allowed {
		return d
	}
	if rest, claims := proved(facts); claims {
		if without := p.decide(action, rest); !without.Allowed {
			without.Facts = d.Facts
			without.Reason = tidy("it would be allowed by the relay's word alone, which proves nothing; without it: " + without.Reason)
			return without
		}
	}
	return d
}

func (p *Policy) decide(action Action, facts Facts) Decision {
	d := Decision{Action: action, Facts: maps.Clone(facts)}
	if p, told := facts[Proxy]; told { // a decision is logged, a password is not
		if d.Facts[Proxy], _ = proxyURL(p); d.Facts[Proxy] == "" {
			d.Facts[Proxy] = "malformed"
		}
	}
	r, complaint := p.ask(action, facts)
	if complaint != "" {
		d.Reason = complaint
		d.Rule = Rule{Key: string(action), Value: "denied", Source: Source{File: builtInFile}}
		return d
	}
	if why, rule := p.gate(&r); why != "" {
		d.Reason, d.Rule = why, rule
		return d
	}
	for _, k := range keysOf[action] {
		m := &p.merged[k.index]
		if !m.spoke || k.deny == nil {
			continue
		}
		if why := k.deny(&m.value, &r); why != "" {
			d.Reason = why
			p.blame(&d, k, &r)
			d.Reason = tidy(d.Reason)
			p.bind(&d, &r)
			return d
		}
	}
	d.Allowed = true
	d.Reason = "allowed"
	c := p.credits[action] // shared: readers do not write to it
	d.Rule, d.Lost = c.rule, c.rest
	p.bind(&d, &r)
	return d
}

// tidy makes a reason, which repeats what a stranger may have said, fit for
// logs and terminals.
func tidy(s string) string {
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return printable([]byte(strings.ToValidUTF8(s, "?")))
}

// gate refuses what a seal or a broken policy file takes away altogether.
func (p *Policy) gate(r *request) (why string, rule Rule) {
	if p.unsure && isRemote(r) {
		return "it cannot be known whether remote access was disabled for good", *p.sealed
	}
	if p.sealed != nil && isRemote(r) {
		return "remote access was disabled for good on this system", *p.sealed
	}
	if p.fault == nil {
		return "", Rule{}
	}
	if isRemote(r) {
		return "the policy does not load, so remote access is off until it does", p.fault.rule
	}
	if p.fault.bundles && r.action != SessionClose && r.action != NotifyDisable {
		return "the policy does not load, and what it says about bundles cannot be known", p.fault.bundleRule
	}
	if r.action == NotifyDisable {
		return "the policy does not load, so nothing is switched off", p.fault.rule
	}
	return "", Rule{}
}

// isRemote reports whether a request serves remote access and nothing else.
func isRemote(r *request) bool {
	switch r.action {
	case SessionOpen, SessionExtend, SessionResume, ConnectAccept, AccessShell, AccessCommand, AccessForward, AccessUpload, AccessFetch, RecordingShare, WebServe:
		return true
	case PluginLaunch:
		return r.facts[Purpose] == "session" || r.facts[Role] == "auth"
	case TransportDial:
		return r.facts[Purpose] == "session"
	}
	return false
}

// blame finds who made the merged value refuse: each statement is asked alone.
func (p *Policy) blame(d *Decision, k *Key, r *request) {
	for _, s := range p.merged[k.index].said {
		why := k.deny(&s.value, r)
		switch {
		case why == "":
			d.Lost = append(d.Lost, s.rule)
		case d.Rule.Key == "":
			d.Rule, d.Reason = s.rule, why
		default:
			d.Also = append(d.Also, s.rule)
		}
	}
}

// credit is who gets the credit for a yes: the first rule that a file wrote
// about the action, else the built-in one.
type credit struct {
	rule Rule
	rest []Rule
}

func (p *Policy) creditFor(a Action) credit {
	var c credit
	var builtIn *Rule
	for _, k := range keysOf[a] {
		m := &p.merged[k.index]
		for i := range m.said {
			s := &m.said[i]
			switch {
			case s.rule.Source.File == builtInFile:
				if builtIn == nil {
					builtIn = &s.rule
				}
			case c.rule.Key == "":
				c.rule = s.rule
			default:
				c.rest = append(c.rest, s.rule)
			}
		}
	}
	switch {
	case c.rule.Key != "":
	case builtIn != nil:
		c.rule = *builtIn
	default:
		c.rule = Rule{Key: string(a), Value: "allowed", Source: Source{File: builtInFile}}
	}
	c.rest = c.rest[:len(c.rest):len(c.rest)]
	return c
}

// bind writes limits and duties.
func (p *Policy) bind(d *Decision, r *request) {
	for _, k := range keysOf[d.Action] {
		m := &p.merged[k.index]
		if !m.spoke {
			continue
		}
		if k.bound != nil {
			k.bound(&m.value, d, r)
		}
	}
	if d.Duties.Approvals == 0 {
		d.Duties.ApprovalTimeout = 0
	}
}

// String shows a decision in one line.
func (d Decision) String() string {
	if err := d.Err(); err != nil {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString("allowed by " + d.Rule.Key + " = " + d.Rule.Value + " at " + d.Rule.Source.String())
	return b.String()
}
