package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/paths"
)

// Switch is the global switch of local.cfg as `remote-support build-config`
// put it in force (REQ G3). On, it is a rule like those of policy files:
// remote_access = "locked_on". Off, it says nothing.
type Switch struct {
	Version int    `json:"version"` // of this format: 1
	On      bool   `json:"on"`
	Key     string `json:"key"` // of local.cfg
	File    string `json:"file"`
	Line    int    `json:"line"`
}

func switchPath(root paths.Root) string { return root.Var("policy", "switch.json") }

// WriteSwitch puts the switch in force. Only build-config calls it.
func WriteSwitch(root paths.Root, s Switch) error {
	s.Version = 1
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(switchPath(root)), 0o700); err != nil {
		return fmt.Errorf("write the global switch: %w", err)
	}
	return durable.WriteFileMode(switchPath(root), append(data, '\n'), 0o600)
}

// ReadSwitch returns the switch in force; off when build-config never ran.
func ReadSwitch(root paths.Root) (Switch, error) { return readSwitch(root) }

func readSwitch(root paths.Root) (Switch, error) {
	var s Switch
	data, err := os.ReadFile(switchPath(root))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read the global switch: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil || s.Version != 1 {
		return Switch{}, fmt.Errorf("the global switch in force cannot be read")
	}
	return s, nil
}

func (s Switch) statement() statement {
	k := keyByPath["remote_access"]
	v := value{n: accessLockedOn}
	return statement{k, v, Rule{
		Key: k.Path(), Value: k.format(&v), Source: Source{File: s.File, Line: max(s.Line, 1), Column: 1},
		Reason: s.Key + "=" + strconv.Quote("yes") + " in local.cfg",
	}}
}
