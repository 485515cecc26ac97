// Package cmdline is what all commands of Latchstring have in common at the
// terminal.
//
// # Rules of the terminal
//
// Data goes to standard output, everything else to standard error. A message
// begins with the program's name, is lower case and has no full stop. Progress
// is shown on a terminal and nowhere else. Nothing is asked when standard
// input is no terminal. An error is one message that names what, where and
// what to do; its exit code says which kind it is (see [Code]).
//
// # Use
//
// A main function builds its application with [New], which adds the common
// flags (--root, --json, --log-level) to every command at every depth, so that
// they may stand anywhere on the line, and calls [Main]:
//
//	func main() {
//		launch.Main()
//		cmdline.Main(cmdline.New("send-bundle", "collect and send a support bundle", opts))
//	}
//
// urfave/cli is imported here and in the other packages below cmd only.
package cmdline
