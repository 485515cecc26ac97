package discover

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say where to look. The zero value looks at this machine.
type Options struct {
	// Root is the directory that stands for "/". Empty means "/", and then
	// the running system is asked for its host name too.
	Root string
	// CertDirs are directories below Root with certificates whose subject
	// names are taken, not recursively. Nil means the usual ones.
	CertDirs []string
	// Kubeconfigs are files below Root with cluster addresses. Nil means the
	// usual ones.
	Kubeconfigs []string
}

// Names are what was found, each list sorted, all but People in lower case.
type Names struct {
	Hosts   []string // short and full host names
	Domains []string // search domains and the domains of hosts
	Users   []string // accounts of people
	People  []string // real names from account comments, as written
	// Skipped names files that are there but could not be used, and why.
	Skipped []string
}

// maxFile bounds what is read of one file. sos needs a quarter of an hour for
// 2500 lines of /etc/hosts; here 2 MB of them take milliseconds.
const maxFile = 2 << 20

// finder collects while files are read.
type finder struct {
	root    string
	hosts   map[string]bool
	domains map[string]bool
	users   map[string]bool
	people  map[string]bool
	skipped []string
}

// Find looks for names. It never fails: see [Names.Skipped].
func Find(opt Options) Names {
	f := &finder{root: opt.Root, hosts: map[string]bool{}, domains: map[string]bool{}, users: map[string]bool{}, people: map[string]bool{}}
	if f.root == "" {
		f.root = "/"
		if name, err := os.Hostname(); err == nil {
			f.host(name)
		}
	}
	f.read("etc/hostname", f.hostname)
	f.read("etc/HOSTNAME", f.hostname)
	f.read("etc/machine-info", f.machineInfo)
	f.read("etc/hosts", f.etcHosts)
	f.read("etc/resolv.conf", f.resolvConf)
	f.read("etc/krb5.conf", f.krb5)
	f.read("etc/ssh/ssh_known_hosts", f.knownHosts)
	f.accounts()
	f.certificates(opt.CertDirs)
	f.kubeconfigs(opt.Kubeconfigs)
	return Names{
		Hosts:   sorted(f.hosts),
		Domains: sorted(f.domains),
		Users:   sorted(f.users),
		People:  sorted(f.people),
		Skipped: f.skipped,
	}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// read calls use with the content of a file below the root, if it is there.
func (f *finder) read(path string, use func(data []byte)) {
	data, err := readFile(filepath.Join(f.root, path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		f.skip(path, err)
	default:
		use(data)
	}
}

func (f *finder) skip(path string, err error) {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	f.skipped = append(f.skipped, fmt.Sprintf("/%s: %v", strings.TrimPrefix(path, "/"), err))
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if st, err := file.Stat(); err != nil {
		return nil, err
	} else if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return io.ReadAll(io.LimitReader(file, maxFile))
}

// lines calls use with the words of each line, comments gone.
func lines(data []byte, use func(words []string)) {
	for line := range bytes.Lines(data) {
		if i := bytes.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		if words := strings.Fields(string(line)); len(words) > 0 {
			use(words)
		}
	}
}

// host takes a host name, short or full, and the domain of a full one.
func (f *finder) host(name string) {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), "."))
	name = strings.TrimPrefix(name, "*.")
	if !hostName(name) {
		return
	}
	short, domain, full := strings.Cut(name, ".")
	if generic(name) || full && genericDomain(domain) && generic(short) {
		return
	}
	f.hosts[name] = true
	if !full {
		return
	}
	if !generic(short) {
		f.hosts[short] = true
	}
	f.domain(domain)
}

func (f *finder) domain(name string) {
	name = strings.ToLower(strings.Trim(name, ". "))
	if hostName(name) && !genericDomain(name) {
		f.domains[name] = true
	}
}

func (f *finder) user(name string) {
	if name != "" && len(name) <= 64 && !strings.ContainsAny(name, " \t:/\\") && !generic(strings.ToLower(name)) {
		f.users[strings.ToLower(name)] = true
	}
}

// hostName reports whether s could be a name of a machine and is not an
// address.
func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return false
	}
	letters := false
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			switch {
			case 'a' <= c && c <= 'z' || c >= 0x80:
				letters = true
			case '0' <= c && c <= '9' || c == '-' || c == '_':
			default:
				return false
			}
		}
	}
	return letters
}

func (f *finder) hostname(data []byte) {
	lines(data, func(words []string) { f.host(words[0]) })
}

// machineInfo takes PRETTY_HOSTNAME, which is free text, if it is one word.
func (f *finder) machineInfo(data []byte) {
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_HOSTNAME="); ok {
			f.host(strings.Trim(v, `"'`))
		}
	}
}

func (f *finder) etcHosts(data []byte) {
	lines(data, func(words []string) {
		if _, err := netip.ParseAddr(words[0]); err != nil {
			return
		}
		for _, name := range words[1:] {
			f.host(name)
		}
	})
}

func (f *finder) resolvConf(data []byte) {
	lines(data, func(words []string) {
		if words[0] == "search" || words[0] == "domain" {
			for _, d := range words[1:] {
				f.domain(d)
			}
		}
	})
}

// krb5 takes the realms' servers and the domains that belong to them.
func (f *finder) krb5(data []byte) {
	lines(data, func(words []string) {
		if len(words) < 3 || words[1] != "=" {
			return
		}
		switch words[0] {
		case "kdc", "admin_server", "master_kdc", "kpasswd_server":
			host, _, _ := strings.Cut(words[2], ":")
			f.host(host)
		case "default_realm", "default_domain":
			f.domain(words[2])
		}
	})
}

func (f *finder) knownHosts(data []byte) {
	lines(data, func(words []string) {
		if strings.HasPrefix(words[0], "@") && len(words) > 1 {
			words = words[1:]
		}
		for name := range strings.SplitSeq(words[0], ",") {
			name = strings.TrimPrefix(name, "[")
			name, _, _ = strings.Cut(name, "]")
			f.host(name)
		}
	})
}
