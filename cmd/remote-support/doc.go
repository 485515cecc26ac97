// Command remote-support is the customer's side of remote support: the agent
// (serve), the enrolment with a vendor, the state, the policy, the plugins and
// the audit log.
package main
