package access

import (
	"fmt"
	"slices"
	"strings"
)

// An upload by rsync also reads. The receiving side tells block sums of the file
// that is there, from which short content can be found by trying, and it makes
// files out of others that lie here: a basis in another directory, a backup, a
// hard link to what the list of the sender calls the same file. Where an engineer
// may put and not take, rsync therefore works blind: it receives whole files, and
// with no option but those that are known to read nothing.

// blindOption makes the receiving side compare nothing.
const blindOption = "--whole-file"

// blindLetters are the short options that read no content of what is here.
const blindLetters = "vqlogDtprzuWndOJSIxmi8"

// blindWords are the long ones.
var blindWords = []string{blindOption, "--partial", "--inplace", "--numeric-ids", "--size-only", "--ignore-times", "--existing", "--ignore-existing",
	"--ignore-non-existing", "--timeout", "--bwlimit", "--log-format", "--out-format", "--stats", "--info", "--debug", "--iconv", "--compress", "--compress-choice",
	"--compress-level", "--new-compress", "--old-compress", "--skip-compress", "--checksum-choice", "--checksum-seed", "--modify-window", "--max-size",
	"--min-size", "--mkpath", "--no-implied-dirs", "--omit-dir-times", "--omit-link-times", "--dirs", "--sparse", "--preallocate", "--force", "--blocking-io",
	"--no-i-r", "--no-inc-recursive", "--8-bit-output", "--from0"}

// blind returns why an upload cannot be made without reading what is here.
func (c *rsyncCall) blind() error {
	for _, o := range c.options {
		if name, _, _ := strings.Cut(o, "="); strings.HasPrefix(o, "--") {
			if !slices.Contains(blindWords, name) {
				return fmt.Errorf("the option %s can read files of this machine, which is not allowed here", name)
			}
			continue
		}
		letters, _, _ := strings.Cut(o[1:], "e") // after it come the client's abilities
		if i := strings.IndexFunc(letters, func(r rune) bool { return !strings.ContainsRune(blindLetters, r) }); i >= 0 {
			return fmt.Errorf("the option -%c can read files of this machine, which is not allowed here", letters[i])
		}
	}
	return nil
}
