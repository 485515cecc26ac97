package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Programs that read a secret from their standard input get it by a pipe or a
// here-string: echo x | passwd --stdin, kinit <<< x, cat <(echo x).

// readers are these programs, with the argument that makes them do so; "" for
// none.
var readers = map[string]string{
	"kinit": "", "clevis": "", "sshpass": "", "chpasswd": "", "smbpasswd": "", "vncpasswd": "", "cryptsetup": "", "realm": "", "htdigest": "", "fscrypt": "", "zfs": "-key", "grub-mkpasswd-pbkdf2": "", "wpa_passphrase": "", "mkpasswd": "",
	"passwd": "", "sudo": "-S", "su": "", "gpg": "--passphrase-fd", "gpg2": "--passphrase-fd", "openconnect": "stdin", "gh": "--with-token", "ipa": "pass", "circleci": "secret", "fetchmail": "", "htpasswd": "-i", "openssl": "passwd", "pass": "insert", "secret-tool": "store",
	"systemd-creds": "encrypt", "doveadm": "pw", "slappasswd": "", "ansible-vault": "encrypt_string", "ldappasswd": "", "kpasswd": "", "ksu": "", "adcli": "stdin", "net": "ads", "gnome-keyring-daemon": "unlock", "veracrypt": "stdin", "borg": "", "age": "", "ecryptfs-add-passphrase": "", "ssh-add": "", "systemd-cryptenroll": "",
	"op": "", "keepassxc-cli": "", "lpass": "", "minisign": "", "bw": "", "sshfs": "stdin", "saslpasswd2": "", "kadmin": "", "pdbedit": "", "curlftpfs": "", "cosign": "", "security": "", "virsh": "secret", "vault": "-", "heroku": "secret", "wrangler": "secret", "gcloud": "secret", "flyctl": "secret", "docker": "secret", "podman": "secret", "helm": "stdin", "crane": "stdin", "nerdctl": "stdin", "oras": "stdin", "buildah": "stdin", "skopeo": "stdin", "mount.cifs": "", "x11vnc": "storepasswd", "rclone": "obscure", "tpm2_create": "",
}

// onlySecrets are readers that take nothing but a secret, once or twice.
var onlySecrets = map[string]bool{"passwd": true, "smbpasswd": true, "kinit": true, "kpasswd": true, "cryptsetup": true, "vncpasswd": true, "slappasswd": true, "mkpasswd": true}

// fromStdin looks for both.
func (s *Scanner) fromStdin(args []arg) {
	for i, a := range args {
		t := s.text(a)
		switch {
		case len(t) >= 2 && t[0] == '<' && t[1] == '<' && (len(t) == 2 || t[2] != '<') && s.State.Mode == Normal:
			if pairs, ok := s.reader(args[:i], args[i:]); ok && pairs {
				s.enter(InUsers, keyname.Password, -1, 0, 0)
			} else if ok && i+1 == len(args) && onlySecrets[string(s.base(args[max(0, i-2)]))] || ok && i+1 == len(args) && i > 0 && onlySecrets[string(s.base(args[i-1]))] {
				s.hereOpens(a.start, want{class: keyname.Strong, kind: keyname.Password})
			}
		case len(t) >= 3 && string(t[:3]) == "<<<":
			if pairs, ok := s.reader(args[:i], args[i:]); ok {
				if len(t) > 3 {
					a.vs += 3
				} else if i+1 < len(args) {
					a = args[i+1]
				} else {
					continue
				}
				s.fed(a, pairs)
			}
		case string(t) == "|" && i+1 < len(args) || len(t) > 1 && t[len(t)-1] == '|' && i+1 < len(args) || len(t) > 1 && t[0] == '|' && isLetter(t[1]):
			rest := args[min(i+1, len(args)):]
			if t[0] == '|' && len(t) > 1 {
				b := a
				b.vs++
				s.args[i] = b
				rest = args[i:]
			}
			pairs, ok := s.reader(rest, nil)
			if !ok && len(rest) > 0 && bytes.HasPrefix(s.base(rest[0]), []byte("base64")) && (s.hasWord("Basic ") || s.hasWord("basic ")) {
				pairs, ok = true, true
			} else if !ok && len(rest) > 0 && string(s.base(rest[0])) == "base64" {
				ok = s.encoded(args[:i])
			}
			if ok {
				s.echoed(args[:i], pairs)
				if t[0] != '|' {
					s.echoed(args[:i+1], pairs)
				}
			}
		case (string(t) == ">" || string(t) == ">>") && i+1 < len(args) && secretFile(s.text(args[i+1])):
			s.echoed(args[:i], false) // echo x > /etc/rsync.password
		case bytes.HasPrefix(t, []byte("<(")) || bytes.Contains(t, []byte("=<(")) || bytes.HasPrefix(t, []byte("$(")):
			// a file that holds what echo says, for a flag that names a secret
			if before := s.buf[max(s.ls, a.start-48):min(s.le, a.ve+60)]; t[0] != '$' && (containsFold(before, "pass") || containsFold(before, "key") || containsFold(before, "secret") || containsFold(before, "token") || containsFold(before, "auth") || containsFold(before, "cred")) {
				e := i + 1
				for e < len(args) && e < i+6 && s.buf[args[e].end-1] != ')' {
					e++
				}
				s.echoed(args[i:min(e+1, len(args))], false)
			}
		}
	}
}

// encoded is true for what somebody encodes for a manifest: echo -n x | base64.
func (s *Scanner) encoded(args []arg) bool {
	for i := len(args) - 2; i >= 0; i-- {
		name := string(s.base(args[i]))
		if name != "echo" && name != "printf" {
			continue
		}
		if t := s.text(args[i+1]); name == "echo" && (string(t) == "-n" || string(t) == "-ne") || name == "printf" && string(bytes.Trim(t, "'\"")) == "%s" {
			return i+3 == len(args)
		}
		return i+2 == len(args) && s.tellable(bytes.Trim(s.text(args[i+1]), "'\""), false)
	}
	return false
}

// tracedEcho hides what echo says in the trace of a shell, where the command
// that reads it is a line of its own: + echo x, + docker login --password-stdin.
func (s *Scanner) tracedEcho() bool {
	args := s.args[:s.split(&s.args)]
	if len(args) < 3 {
		return false
	}
	if t := s.text(args[1]); string(t) != "echo" && string(t) != "printf" {
		return false
	}
	for _, l := range [2][]byte{s.lineAbove(), s.buf[min(s.le+1, s.hi):min(s.le+240, s.hi)]} {
		if i := bytes.IndexByte(l, '\n'); i > 0 && l[0] == '+' {
			l = l[:i]
		}
		if len(l) > 8 && l[0] == '+' && (bytes.Contains(l, []byte("-stdin")) || bytes.Contains(l, []byte("chpasswd")) || bytes.Contains(l, []byte("--with-token")) || bytes.Contains(l, []byte("smbpasswd -s"))) {
			s.echoed(args, bytes.Contains(l, []byte("chpasswd")))
			return true
		}
	}
	return false
}

// secretFile is true for the name of a file that holds a secret and no more.
func secretFile(name []byte) bool {
	name = bytes.Trim(name, "\"'")
	base := name[bytes.LastIndexByte(name, '/')+1:]
	for _, t := range []string{"password", "passwd", "passphrase", "secret", "token", ".psk", "_psk", "cred", "keyfile"} {
		if containsFold(base, t) {
			return !containsFold(base, "list") && !containsFold(base, ".log")
		}
	}
	return bytes.HasSuffix(base, []byte(".pw")) || bytes.HasSuffix(base, []byte("_pw")) || bytes.HasSuffix(base, []byte(".pass")) || bytes.HasSuffix(base, []byte("_pass"))
}

// reader says whether the command that args belong to reads a secret, and
// whether as user:password. Before a here-string it is the last one of args.
func (s *Scanner) reader(args, tail []arg) (pairs, ok bool) {
	if tail != nil {
		for i := len(args) - 1; i >= 0; i-- {
			if t := s.text(args[i]); len(t) > 0 && (isStop(t) || t[len(t)-1] == ';') {
				args = args[i+1:]
				break
			}
		}
	}
	for i := range args {
		t := s.text(args[i])
		if len(t) == 0 {
			continue
		}
		if isStop(t) {
			break
		}
		need, known := readers[string(s.base(args[i]))]
		if !known {
			if t[0] == '-' && len(t) > 6 && (bytes.HasSuffix(t, []byte("-stdin")) || string(t) == "--with-token" || string(t) == "--passphrase-fd") && !bytes.Contains(t, []byte("filename")) {
				return false, true
			}
			continue
		}
		if need == "" {
			return string(s.base(args[i])) == "chpasswd", true
		}
		for _, list := range [][]arg{args[i+1:], tail} {
			for _, a := range list {
				if bytes.Contains(s.text(a), []byte(need)) {
					return false, true
				}
			}
		}
	}
	return false, false
}

// echoed hides what the last echo or printf among args says.
func (s *Scanner) echoed(args []arg, pairs bool) {
	for i := len(args) - 1; i >= 0; i-- {
		name := s.base(args[i])
		printf := string(name) == "printf"
		if !printf && string(name) != "echo" {
			if t := s.text(args[i]); string(t) == "|" {
				return
			}
			continue
		}
		words := args[i+1:]
		for len(words) > 0 && len(s.text(words[0])) > 0 && s.text(words[0])[0] == '-' {
			words = words[1:]
		}
		if printf && len(words) > 1 && bytes.IndexByte(s.text(words[0]), '%') >= 0 {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		// All its words, up to what ends the command.
		first, last := words[0], words[0]
		for _, a := range words[1:] {
			if t := s.text(a); isStop(t) || t[0] == ')' {
				break
			}
			if s.buf[last.end-1] == ';' || s.buf[last.end-1] == ')' {
				break
			}
			last = a
		}
		if first != last {
			first.vs, first.ve = first.start, last.end
		}
		for first.ve > first.vs && (s.buf[first.ve-1] == ')' || s.buf[first.ve-1] == ';') {
			first.ve--
		}
		if n := first.ve - first.vs; n > 1 && (s.buf[first.vs] == '\'' || s.buf[first.vs] == '"') && s.buf[first.ve-1] == s.buf[first.vs] {
			first.vs++
			first.ve--
		}
		s.fed(first, pairs)
	}
}

// fed hides a secret that goes into a program.
func (s *Scanner) fed(a arg, pairs bool) {
	buf := s.buf
	if a.ve <= a.vs {
		return
	}
	if a.ve-a.vs > 2 && buf[a.vs] == '$' && (buf[a.vs+1] == '\'' || buf[a.vs+1] == '"') {
		a.vs++ // $'x\n'
	}
	if c := buf[a.vs]; a.ve-a.vs > 1 && (c == '\'' || c == '"') && buf[a.ve-1] == c {
		a.vs++
		a.ve--
	}
	// The same once more, or the name of somebody before it, on lines of their own.
	for from := a.vs; from < a.ve; {
		e := a.ve
		if i := bytes.Index(buf[from:a.ve], []byte(`\n`)); i >= 0 {
			e = from + i
		}
		v := from
		if pairs {
			if c := bytes.IndexByte(buf[from:e], ':'); c > 0 {
				if s.Identify {
					s.addAccount(from, from+c)
				}
				v = from + c + 1
			}
		}
		if t := buf[v:e]; len(t) > 0 && !(len(t) == 2 && t[0] == '%') && t[0] != '$' {
			s.judge(v, e, want{class: keyname.Strong, kind: keyname.Password, rule: "command"}, true)
		}
		from = e + 2
	}
}
