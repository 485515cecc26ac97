package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/latchstring/latchstring/core/paths"
)

// Switch is the global switch of local.cfg as `remote-support build-config`
// put it in force (REQ G3). On, it is a rule like those of policy files:
// remote_access = "locked_on". Off, it says nothing.
type Switch struct {
	On   bool   `json:"on"`
	Key  string `json:"key"` // of local.cfg
	File string `json:"file"`
	Line int    `json:"line"`
}

// EffectivePath is the configuration in force, which package buildconfig
// writes as one file; policy reads the switch from it.
func EffectivePath(root paths.Root) string { return root.Var("effective.json") }

// WithSwitch replaces the switch that is in force, to see what it would do.
func WithSwitch(s Switch) Option { return func(o *options) { o.sw = &s } }

// readSwitch returns the switch in force; off when build-config never ran.
func readSwitch(root paths.Root) (Switch, error) {
	var e struct {
		Version int     `json:"version"`
		Switch  *Switch `json:"switch"`
	}
	data, err := os.ReadFile(EffectivePath(root))
	if errors.Is(err, fs.ErrNotExist) {
		return Switch{}, nil
	}
	if err != nil {
		return Switch{}, fmt.Errorf("read the global switch: %w", err)
	}
	if err := json.Unmarshal(data, &e); err != nil || e.Version != 1 || e.Switch == nil {
		return Switch{}, fmt.Errorf("the effective configuration is damaged, so the global switch cannot be read")
	}
	return *e.Switch, nil
}

func (s Switch) statement() statement {
	k := keyByPath["remote_access"]
	v := value{n: accessLockedOn}
	return statement{k, v, Rule{
		Key: k.Path(), Value: k.format(&v), Source: Source{File: s.File, Line: max(s.Line, 1), Column: 1},
		Reason: s.Key + "=" + strconv.Quote("yes") + " in local.cfg",
	}}
}
