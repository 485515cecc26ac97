// Package control is the local API of the agent: HTTP with JSON bodies on a
// unix socket.
//
// The command line, the web pages and the array's GUI all come in here, so
// that there is one place where a request gets a caller and one set of
// answers. [API] is what can be asked; the agent implements it, [Server]
// serves it, and [Client] is the same interface over the socket. A command
// therefore does not care whether the agent runs: it takes the Client when
// somebody listens and the agent's own implementation in process otherwise.
//
// # Who may call
//
// The kernel says who is at the other end (SO_PEERCRED); nothing that the
// caller sends is believed about that. Root and the user that the agent runs
// as may do everything. Every local user may log in and out, say as whom, and
// agree to the login of somebody else ([Logins]). What he may do besides, the API
// decides for each call ([Admitter]); where it does not say, he gets one clear
// refusal.
//
// A login is a conversation. Its stream says what to show and to ask; answers
// are sent beside it, under the name in the first line, by the same local user.
//
// # Errors
//
// An error crosses the socket with its text, its hint and its exit code, so
// that `remote-support` ends the same way whichever side the error came from.
package control
