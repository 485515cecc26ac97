package hardware

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

const hwmonDir = "/sys/class/hwmon"

// input is a reading of a hwmon chip (Documentation/hwmon/sysfs-interface of
// the kernel): its kind, which gives the unit, and its number.
var input = regexp.MustCompile(`^((temp|fan|in|curr|power)[0-9]+)_(input|average)$`)

// units are what a reading is divided by, and what comes out.
var units = map[string]struct {
	by   float64
	unit string
}{"temp": {1000, "C"}, "fan": {1, "RPM"}, "in": {1000, "V"}, "curr": {1000, "A"}, "power": {1e6, "W"}}

// limits are the bounds that a chip may know for a reading, in its unit.
var limits = []string{"min", "max", "crit"}

// sensors reads all chips without the help of a tool:
//
//	hwmon0 coretemp: Core 0 45.0 C (max 80.0, crit 100.0)
func sensors(ctx context.Context, o recipe.Opener) ([]byte, error) {
	chips, err := recipe.Names(o, hwmonDir)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	for _, chip := range chips {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dir := path.Join(hwmonDir, chip)
		files, err := recipe.Names(o, dir)
		if err != nil {
			fmt.Fprintf(&buf, "%s: %v\n", chip, err)
			continue
		}
		name := word(o, dir, "name")
		for _, f := range files {
			m := input.FindStringSubmatch(f)
			if m == nil {
				continue
			}
			value, ok := reading(word(o, dir, f), m[2])
			if !ok {
				value = "no reading"
			}
			fmt.Fprintf(&buf, "%s %s: %s %s %s", chip, name, cmp.Or(word(o, dir, m[1]+"_label"), m[1]), value, units[m[2]].unit)
			var bounds []string
			for _, l := range limits {
				if v, ok := reading(word(o, dir, m[1]+"_"+l), m[2]); ok {
					bounds = append(bounds, l+" "+v)
				}
			}
			if len(bounds) > 0 {
				fmt.Fprintf(&buf, " (%s)", strings.Join(bounds, ", "))
			}
			if word(o, dir, m[1]+"_alarm") == "1" {
				buf.WriteString(" ALARM")
			}
			buf.WriteByte('\n')
		}
	}
	if buf.Len() == 0 {
		return nil, fmt.Errorf("no sensors that the kernel knows: %w", fs.ErrNotExist)
	}
	return buf.Bytes(), nil
}

// word is a short attribute, or nothing.
func word(o recipe.Opener, dir, attr string) string {
	v, err := recipe.Read(o, path.Join(dir, attr), 128)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(v)
}

func reading(text, kind string) (string, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", false
	}
	u := units[kind]
	return strconv.FormatFloat(n/u.by, 'f', min(1, int(u.by)-1), 64), true
}
