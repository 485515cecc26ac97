package tables

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
)

type vendor struct {
	name   string
	common bool
	values []string
}

// readVendors reads lines of: name[*] bounds... where bounds are a class with
// its lengths or U for a UUID, and * marks a name that is also a plain word.
func readVendors(path string) ([]vendor, error) {
	var out []vendor
	seen := map[string]bool{}
	err := lines(path, func(f []string) error {
		if len(f) < 2 {
			return fmt.Errorf("%s has no values", f[0])
		}
		v := vendor{name: strings.TrimSuffix(f[0], "*"), common: strings.HasSuffix(f[0], "*")}
		if len(v.name) < 3 {
			return fmt.Errorf("name %q is shorter than 3 bytes", v.name)
		}
		if seen[v.name] {
			return fmt.Errorf("%s is there twice", v.name)
		}
		seen[v.name] = true
		for _, s := range f[1:] {
			if s == "U" {
				v.values = append(v.values, "{uuid: true, min: 36, max: 36}")
				continue
			}
			c, ok := classNames[s[0]]
			if !ok {
				return fmt.Errorf("unknown class in %q", s)
			}
			min, max, err := parseBounds(s[1:])
			if err != nil {
				return err
			}
			v.values = append(v.values, fmt.Sprintf("{class: %s, min: %d, max: %d}", c, min, max))
		}
		out = append(out, v)
		return nil
	})
	sort.Slice(out, func(i, j int) bool {
		if len(out[i].name) != len(out[j].name) {
			return len(out[i].name) > len(out[j].name)
		}
		return out[i].name < out[j].name
	})
	return out, err
}

func writeVendors(b *bytes.Buffer, vs []vendor) {
	b.WriteString("var vendors = [...]vendor{\n")
	chain := map[uint16][]int{}
	for i, v := range vs {
		fmt.Fprintf(b, "{name: %q, common: %v, values: []value{%s}},\n", v.name, v.common, strings.Join(v.values, ","))
		h := hash3(v.name[0], v.name[1], v.name[2]) >> vendorShift
		chain[h] = append(chain[h], i)
	}
	b.WriteString("}\n\n")
	var c chainTable
	writeHeads(b, "vendorHeads", "the first three bytes of names", vendorShift, chain, &c)
	c.write(b, "vendorChains")
}
