package cmdline

import "github.com/urfave/cli/v2"

// nearest returns the command whose name is at most two edits from s.
func nearest(s string, cmds []*cli.Command) string {
	best, name := 3, ""
	for _, c := range cmds {
		if c.Hidden {
			continue
		}
		if d := distance(s, c.Name); d < best {
			best, name = d, c.Name
		}
	}
	return name
}

// distance is the Levenshtein distance of two short strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next := min(row[j]+1, row[j-1]+1, diagonal+cost)
			diagonal, row[j] = row[j], next
		}
	}
	return row[len(b)]
}
