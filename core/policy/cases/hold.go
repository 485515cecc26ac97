package cases

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/policy"
)

// hold checks one indented line against the answer, and returns what is wrong.
func (r *Report) hold(p *policy.Policy, e policy.Explanation, words []string) string {
	arg := strings.Join(words[1:], " ")
	switch words[0] {
	case "by":
		if e.Rule.Key != arg && !blockedBy(e, func(rule policy.Rule) bool { return rule.Key == arg }) {
			return fmt.Sprintf("decided by %s = %s at %s", e.Rule.Key, e.Rule.Value, e.Rule.Source)
		}
	case "at":
		if !at(e.Rule, arg) && !blockedBy(e, func(rule policy.Rule) bool { return at(rule, arg) }) {
			return fmt.Sprintf("decided by %s = %s at %s", e.Rule.Key, e.Rule.Value, e.Rule.Source)
		}
	case "because":
		if !strings.Contains(e.Reason, arg) && !strings.Contains(e.Rule.Reason, arg) {
			return "the reason is: " + e.Reason
		}
	case "until":
		want, err := time.Parse(time.RFC3339, arg)
		if err != nil {
			return "until takes a time like 2026-03-02T18:00:00+01:00"
		}
		if !e.Limits.Until.Equal(want) {
			return "until " + e.Limits.Until.Format(time.RFC3339)
		}
		r.coverKey(p, "session.window")
	case "limit":
		return r.limit(p, e, words[1:])
	case "needs":
		return r.needs(p, e, words[1:])
	default:
		return fmt.Sprintf("%q is not known here; known are by, at, because, until, limit, needs", words[0])
	}
	return ""
}

func blockedBy(e policy.Explanation, is func(policy.Rule) bool) bool {
	for _, rule := range e.Blocking {
		if is(rule) {
			return true
		}
	}
	return false
}

// at compares FILE:LINE, with the file's name alone or its whole path.
func at(rule policy.Rule, place string) bool {
	line := ":" + strconv.Itoa(rule.Source.Line)
	return rule.Source.File+line == place || path.Base(rule.Source.File)+line == place
}

func (r *Report) limit(p *policy.Policy, e policy.Explanation, words []string) string {
	if len(words) != 2 || words[0] != "duration" && words[0] != "bytes" {
		return "it is written `limit duration 8h` or `limit bytes 500MB`"
	}
	if words[0] == "duration" {
		want, err := policy.ParseLength(words[1])
		if err != nil {
			return err.Error()
		}
		if e.Limits.MaxDuration != want {
			return "the longest is " + e.Limits.MaxDuration.String()
		}
		r.coverKey(p, "session.max_duration")
		return ""
	}
	want, err := policy.ParseSize(words[1])
	if err != nil {
		return err.Error()
	}
	if e.Limits.MaxBytes != want {
		return fmt.Sprintf("the largest is %d bytes", e.Limits.MaxBytes)
	}
	r.coverKey(p, "bundles.max_size")
	return ""
}

func (r *Report) needs(p *policy.Policy, e policy.Explanation, words []string) string {
	switch {
	case len(words) == 1 && words[0] == "recording":
		if !e.Duties.Record {
			return "no recording is needed"
		}
		r.coverKey(p, "engineer.recording")
		return ""
	case len(words) == 2 && words[0] == "approvals":
		if strconv.Itoa(e.Duties.Approvals) != words[1] {
			return fmt.Sprintf("it needs %d approvals", e.Duties.Approvals)
		}
		r.coverKey(p, "approval.mode")
		r.coverKey(p, "approval.people")
		return ""
	case len(words) == 2 && words[0] == "answer":
		want, err := policy.ParseLength(words[1])
		if err != nil {
			return err.Error()
		}
		if e.Duties.ApprovalTimeout != want {
			return "the answer is awaited for " + e.Duties.ApprovalTimeout.String()
		}
		r.coverKey(p, "approval.timeout")
		return ""
	}
	return "it is written `needs recording`, `needs approvals 2` or `needs answer 2m`"
}
