// Package seal disables remote access on a system for good.
//
// A seal is a file. That it exists is all that counts: whatever it holds, and
// if it holds nothing, the system is disabled. There is one in each of several
// places (see [Places]) and a mark on the directories themselves, so that a
// restored backup of the configuration, of the state or of both does not bring
// remote access back. Where the machine has a TPM, it holds a seal too, bound to
// the installation. One of them is enough; [Mend] puts the others back.
//
// # Order
//
// [Seal] creates the first file, empty, and syncs it and its directory before
// it does anything else. From that moment [Check] says sealed, also after a
// power cut in the next instruction. Only then come the other places, the
// content and the marks. Each step may fail or be the last one; none opens
// anything again. A full disk is no way out: an empty file needs no block, and
// where even that fails the mark on a directory that exists is tried.
//
// Whoever seals does it before anything else: seal first, then cut the
// session, then destroy what remote access rests on, then tell the relay
// (package disable). Whoever starts asks [Check] before it reads any policy.
//
// # What it cannot do
//
// Somebody who is root and means to can remove files by hand, as they can
// install another operating system. Nothing in the product removes a seal, and
// the relay refuses a session to the key of a system that said goodbye.
package seal
