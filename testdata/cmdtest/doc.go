// Package cmdtest is what the script tests of the commands share: the plugins
// built beside the command under test, and a command that must end with a
// certain exit code.
//
//	func TestMain(m *testing.M) {
//		testscript.Main(cmdtest.Build(m, map[string]string{"latchstring-plugins": "../../plugins"}), commands)
//	}
package cmdtest
