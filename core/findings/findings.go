package findings

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Severity says how soon somebody should look.
type Severity string

// The severities, from the worst.
const (
	Critical Severity = "critical" // something does not work, or data are in danger
	Warning  Severity = "warning"  // something will not work soon, or did not for a while
	Notice   Severity = "notice"   // worth knowing
)

var order = []Severity{Critical, Warning, Notice}

// Finding is one thing that was noticed.
type Finding struct {
	Severity Severity `json:"severity"`
	Check    string   `json:"check"`
	Text     string   `json:"text"` // one line: what it is
	File     string   `json:"file"` // in the bundle, slash-separated
	Line     int      `json:"line,omitempty"`
	Detail   []string `json:"detail,omitempty"` // some lines of the file
}

// Errors is one kind of error line of the logs.
type Errors struct {
	Count   int    `json:"count"`
	Shape   string `json:"shape"`   // with # in place of numbers
	Example string `json:"example"` // the last one
	File    string `json:"file"`
	Line    int    `json:"line"`
}

// Report is what a bundle says at first sight.
type Report struct {
	Host     string    `json:"host"`
	Made     time.Time `json:"made"`
	Facts    []Fact    `json:"facts"`
	Findings []Finding `json:"findings"`
	Errors   []Errors  `json:"errors"`
	Read     []string  `json:"checks"`             // checks that had something to read
	Blind    []string  `json:"blind,omitempty"`    // checks that had not
	Failed   []Trouble `json:"failed,omitempty"`   // commands that failed on the machine
	Missing  []Trouble `json:"missing,omitempty"`  // what could not be collected
	Problems []string  `json:"problems,omitempty"` // files that could not be read
	Machines []*Report `json:"machines,omitempty"` // further machines of the bundle
}

// Fact is a line of the machine's description.
type Fact struct{ Name, Value string }

// Trouble is something that was not collected, or not well.
type Trouble struct{ What, Why string }

// Source is what is known about a bundle besides its files.
type Source struct {
	Host    string
	Made    time.Time
	Failed  []Trouble
	Missing []Trouble
	// Machines has the hosts of further machines by their folders below
	// machines/. What is known of their commands stands with the rest.
	Machines map[string]string
}

const (
	maxFindings = 200
	maxFile     = 256 << 20 // read of one file
	maxLine     = 4 << 10   // of one line; the rest is skipped
	maxDetail   = 8
)

// check is one look at some files. It reports whether there was anything to
// look at.
type check struct {
	name string
	look func(*looker) bool
}

var checks = []check{
	{"units", units},
	{"disks", disks},
	{"inodes", inodes},
	{"memory", memory},
	{"pressure", pressure},
	{"certificates", certificates},
	{"clock", clock},
	{"arrays", arrays},
	{"smart", smart},
	{"file systems", filesystems},
	{"paths", multipaths},
	{"kernel", taints},
	{"vulnerabilities", vulnerabilities},
	{"reboots", reboots},
}

// looker is the state of one look at the files of a machine.
type looker struct {
	files fs.FS
	names []string
	r     *Report
}

// machines is where a bundle has the files of further machines.
const machines = "machines"

// Look reads the files of an opened bundle.
func Look(files fs.FS, s Source) *Report {
	r := &Report{Host: s.Host, Made: s.Made, Failed: s.Failed, Missing: s.Missing}
	look(files, r)
	for _, name := range slices.Sorted(maps.Keys(s.Machines)) {
		m := &Report{Host: name, Made: s.Made}
		if host := s.Machines[name]; host != "" {
			m.Host = name + ", host " + host
		}
		folder := machines + "/" + name
		if below, err := fs.Sub(files, folder); err != nil {
			m.Problems = append(m.Problems, err.Error())
		} else {
			look(below, m)
		}
		m.move(folder)
		r.Machines = append(r.Machines, m)
	}
	return r
}

// move makes the report of a machine's folder one of the bundle.
func (r *Report) move(folder string) {
	for i := range r.Findings {
		r.Findings[i].File = folder + "/" + r.Findings[i].File
	}
	for i := range r.Errors {
		r.Errors[i].File = folder + "/" + r.Errors[i].File
	}
}

// look fills a report of one machine.
func look(files fs.FS, r *Report) {
	l := &looker{files: files, r: r}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && name == machines {
			return fs.SkipDir
		}
		if err == nil && d.Type().IsRegular() {
			l.names = append(l.names, name)
		}
		return nil // what cannot be listed is not looked at
	})
	if err != nil {
		l.r.Problems = append(l.r.Problems, err.Error())
	}
	facts(l)
	for _, c := range checks {
		if c.look(l) {
			l.r.Read = append(l.r.Read, c.name)
		} else {
			l.r.Blind = append(l.r.Blind, c.name)
		}
	}
	if readLogs(l) {
		l.r.Read = append(l.r.Read, "logs")
	} else {
		l.r.Blind = append(l.r.Blind, "logs")
	}
	slices.SortStableFunc(l.r.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity))
	})
	if len(l.r.Findings) > maxFindings {
		l.r.Problems = append(l.r.Problems, fmt.Sprintf("%d findings more are left out", len(l.r.Findings)-maxFindings))
		l.r.Findings = l.r.Findings[:maxFindings]
	}
}

func (l *looker) found(s Severity, check, file string, line int, text string, detail ...string) {
	for i, d := range detail {
		detail[i] = clean(d)
	}
	l.r.Findings = append(l.r.Findings, Finding{s, check, clean(text), file, line, detail[:min(len(detail), maxDetail)]})
}

// below lists the files of a folder.
func (l *looker) below(folder string) []string {
	var out []string
	for _, n := range l.names {
		if strings.HasPrefix(n, folder+"/") {
			out = append(out, n)
		}
	}
	return out
}

// first is the first of the files that is there.
func (l *looker) first(names ...string) (string, bool) {
	for _, n := range names {
		if slices.Contains(l.names, n) {
			return n, true
		}
	}
	return "", false
}

// lines calls f for each line with its number, from 1. Long lines are cut.
func (l *looker) lines(name string, f func(n int, line string)) bool {
	file, err := l.files.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	r := bufio.NewReaderSize(io.LimitReader(file, maxFile), 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if line != "" || err == nil {
			f(n, line)
		}
		if err != nil {
			if err != io.EOF {
				l.r.Problems = append(l.r.Problems, clean(fmt.Sprintf("%s: %v", name, err)))
			}
			return true
		}
	}
}

// readLine reads one line without its end, cut to maxLine.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, more, err := r.ReadLine()
		if room := maxLine - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		if err != nil || !more {
			return string(line), err
		}
	}
}

// small reads a file that is short.
func (l *looker) small(name string) ([]byte, bool) {
	file, err := l.files.Open(name)
	if err != nil {
		return nil, false
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 16<<20))
	return data, err == nil
}

// clean makes foreign text fit for a terminal and a line: no control
// characters, no marks that turn the direction of writing, not too long.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20, r == 0x7f, r >= 0x80 && r < 0xa0, r == utf8.RuneError,
			r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff:
			return '·'
		}
		return r
	}, strings.TrimSpace(s))
	const most = 300
	if len(s) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}
