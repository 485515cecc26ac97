// Package login is the host's side of logging in: it asks an authentication
// plugin who somebody is, bounds how often may be tried, and remembers for a
// short while who has proved it.
//
//	svc, err := login.New(login.Options{...})
//	ticket, err := svc.Login(ctx, by, "infinibox", talk)
//	who, err := svc.Who(by)
//
// A plugin says yes or no and keeps nothing. What must hold across crashes is
// here, in one file that is replaced whole, under a lock that several processes
// share:
//
//   - Attempts. An answer counts as a wrong one before the plugin sees it, and
//     is taken back when it was right or was no guess at all: to crash or to be
//     killed in between gains nothing. After each wrong one the caller waits, 1 s
//     doubling to 5 min; after many, everybody does who uses that method.
//   - Challenges. At most three are open; one a caller, which stays the same until
//     it is used, expires, is replaced or was answered wrongly five times. It is
//     taken off the disk before it lets anybody in, so that it does so once.
//   - Consents. Where the settings of a method name others who must agree, a
//     right answer is not enough: one of them, another local user than the
//     caller, says yes first.
//   - Tickets. Bound to the local user whom the kernel named, good for 15
//     minutes, gone with a restart of the machine.
//
// Time is counted by a clock that nobody can set and that runs on in suspend
// (CLOCK_BOOTTIME). A restart ends challenges and tickets, and starts waits
// anew.
//
// SSO typed as the password of the array is no password. It is taken out here,
// before any plugin sees it, and starts the method sso (REQ B4).
//
// Root on the machine itself needs no login. [Service.Who] says so, and whether
// that is enough is policy's to decide.
package login
