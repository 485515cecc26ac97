// Package files opens and changes files as another user, under a judge of paths.
//
//	t, err := files.New(account, files.Judge{Upload: mayPut, Download: mayTake})
//	f, path, err := t.OpenRead("/var/log/../log/messages")
//	defer t.Close()
//
// # As whom
//
// No child process does it, so none has to be trusted. One thread of the agent
// gives up its file system identity, its groups and all its capabilities, for
// good; every look-up and every open happens in it, so the kernel decides as it
// would for the user. The descriptors that come out are used by any thread.
// (fsuid, unlike the other user ids, lets nobody send signals to the thread.)
//
// # Where
//
// The judge is asked about the path where a file really lies, never about the
// one that was given. A path is first looked up to a descriptor that can do
// nothing (O_PATH), the kernel tells that descriptor's path, the judge speaks, and
// then this same descriptor is opened, not the path again. Symbolic links, `..`
// and directories that are swapped in between lead to a file that is judged by
// its own place, or to an error. A new file is made below the descriptor of its
// directory, exclusively, and looked at again.
//
// A hard link is a place of its own: a judge of paths cannot see through it. So
// to link or to move a file needs the right to put at both ends, and may not make
// anything downloadable that was not. A directory is moved with all that is in it:
// each file and directory below is judged at its old and its new place, and where
// there are too many of them, or one cannot be looked into, it is not moved.
//
// # What not
//
// Only regular files are opened: no devices, pipes and sockets. Files of
// processes (/proc/PID) are refused altogether, since /proc/self is the agent.
package files
