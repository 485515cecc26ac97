// Package family starts the processes of one connection and ends them all,
// also those that tried to get away: setsid, nohup, double fork, an emptied
// environment, a fork bomb.
//
//	f, err := family.New(session, connection)
//	err = f.Start(cmd)                  // instead of cmd.Start
//	left := f.End(time.Second)          // SIGHUP, a second of grace, SIGKILL
//
// # How a member is told
//
// By marks that pass from parent to child and that the child cannot take off:
//
//   - A UTS namespace of its own, where the agent is root. Nobody leaves it
//     without being root himself. Host name and all else read as outside; a host
//     name that is set in it does not reach the machine. Its NIS domain name, if
//     the machine has none, carries the mark for [Sweep].
//   - A cgroup (v2), where one can be made. It is killed as a whole, by the
//     kernel, faster than any fork.
//   - Where there is neither, in an agent without root: an open file without
//     content, which children inherit. A daemon that closes what it did not open
//     loses it; that is the one gap, and root closes it.
//   - Variables in the environment, and the descent from other members.
//
// # When the agent is killed
//
// Its direct children die with it (PR_SET_PDEATHSIG). What those left behind is
// ended by a guardian: this program once more ([Main]), a process of its own that
// knows of every family before its first process is started. It sees the end of
// the agent by a descriptor that the kernel keeps (a pidfd), and kills by the same
// marks, within some milliseconds. There is one as long as there are families; one
// that is killed is replaced within a twentieth of a second. [Sweep] finds what is
// left, after both were killed at once, when the agent starts again.
//
// # What is never ended
//
// Signals go to processes one at a time, never to a group, and through a
// descriptor, after a second look whether the number still is of the process that
// was seen. The caller, those that it descends from, init and a listening
// daemon are spared whatever marks they seem to bear.
//
// # What it cannot do
//
// Somebody who acts as root can leave any mark. And what another service starts
// on request (cron, at, systemd-run, a container engine) is that service's.
package family
