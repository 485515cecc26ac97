// Package shell runs a command or an interactive shell on a system, over an SSH
// connection that is there already, at the engineer's own terminal.
//
//	err := shell.Run(ctx, client, shell.Options{Terminal: terminal, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
//
// With a terminal the local one is made raw, the size of its window is passed
// on whenever it changes, and a line that begins with ~. ends the connection
// (~? tells the others). Without one, streams are passed as they are, and
// signals that this process gets go to the command.
//
// How the command ended comes back as an [ExitError], with the exit status
// that the engineer's command then has too.
package shell
