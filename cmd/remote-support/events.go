package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// sentence says in words what happened, for the events that somebody waits for
// who watches. Others are shown as in the audit log.
func sentence(e control.Event) (text string, ok bool) {
	d := e.Detail
	who := strings.TrimPrefix(e.Actor, "engineer:")
	with := func(s string, pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				s += pairs[i] + pairs[i+1]
			}
		}
		return s
	}
	switch e.Type {
	case "session.opening":
		return with("remote access is being turned on by "+e.Actor, ", case ", d["case"]), true
	case "session.opened":
		return with("remote access is ON: session "+e.Subject, ", ends ", localTime(d["expires"])), true
	case "session.extended":
		return fmt.Sprintf("the session was extended by %s, by %s", d["by"], e.Actor), true
	case "session.shortened":
		return "policy has changed: the session ends in " + d["left"], true
	case "session.expiring":
		return "the session ends in " + d["left"], true
	case "session.ended":
		return with("remote access is OFF", ": ", d["reason"]), true
	case "session.refused":
		return with("remote access could not be turned on", ": ", d["reason"]), true
	case "secret.wrong":
		return fmt.Sprintf("WRONG SECRET; %s more and it is void", d["tries left"]), true
	case "secret.burnt":
		return "THE SECRET IS VOID: " + d["reason"] + "; nobody new can enter until: remote-support secret new", true
	case "secret.renewed":
		return "a new secret is in force; the old one is void", true
	case "connection.requested":
		return with(fmt.Sprintf("%s WAITS for approval", who), ", from ", d["from"], ", case ", d["case"]) + fmt.Sprintf(": remote-support connections approve %s (or deny), until %s", e.Subject, localTime(d["until"])), true
	case "connection.approved":
		return fmt.Sprintf("%s said yes to %s (%s)", d["person"], d["engineer"], e.Subject), true
	case "connection.denied":
		return fmt.Sprintf("%s was turned away (%s): %s", d["engineer"], e.Subject, d["reason"]), true
	case "connection.enrolled":
		return with(who+" gave the secret", ", case ", d["case"]) + ", and may connect", true
	case "connection.opened":
		return with(who+" IS IN", ", from ", d["from"], ", case ", d["case"]) + " (" + e.Subject + ")", true
	case "connection.closed":
		return with(who+" is out", ", after ", d["lasted"], ": ", d["reason"]) + " (" + e.Subject + ")", true
	case "connection.cut":
		return fmt.Sprintf("%s is being cut: %s", e.Subject, d["reason"]), true
	case "connection.lost":
		return fmt.Sprintf("%s lost the network; the connection is kept for a minute (%s)", who, e.Subject), true
	case "connection.resumed":
		return fmt.Sprintf("%s is back (%s)", who, e.Subject), true
	case "connection.refused":
		return with("somebody was not let in", ": ", d["reason"], "; the relay says it was ", d["relay says engineer"]), true
	case "link.down":
		return with("the relay is lost and dialled again", ": ", d["reason"]), true
	case "link.up":
		return "the relay is reached again", true
	case "link.inspected":
		return inspection(d["by"]), true
	case "hardware.failed":
		return with("HARDWARE FAILURE: "+e.Subject, ": ", d["what"], "; ", d["evidence"]), true
	case "hardware.recovered":
		return with("hardware: "+e.Subject, ": ", d["how"], "; it was: ", d["what"]), true
	case "recording.failed":
		return with("RECORDING FAILED", ": ", d["reason"], "; ", d["so"]), true
	}
	return "", false
}

func localTime(rfc string) string {
	t, err := time.Parse(time.RFC3339, rfc)
	if err != nil {
		return ""
	}
	return t.Local().Format("15:04:05 MST")
}

// routine reports whether an event is no news to somebody who watches: plugins
// come and go with each connection. The audit log has it.
func routine(e control.Event) bool { return e.Type == "plugin.started" || e.Type == "plugin.exited" }
