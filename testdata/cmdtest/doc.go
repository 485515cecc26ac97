// Package cmdtest is what the tests of the commands share: the plugins
// built beside the command under test, a command that must end with a certain
// exit code, and a terminal.
//
//	func TestMain(m *testing.M) {
//		testscript.Main(cmdtest.Build(m, map[string]string{"latchstring-plugins": "../../plugins"}), commands)
//	}
package cmdtest
