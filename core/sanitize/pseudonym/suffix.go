package pseudonym

import (
	"bytes"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// privateSuffixes are the ends of names inside networks. They say how a
// network is run, not whose it is. Longer ones come first.
var privateSuffixes = []string{
	"svc.cluster.local", "pod.cluster.local", "cluster.local",
	"home.arpa", "in-addr.arpa", "ip6.arpa",
	"localhost.localdomain", "localdomain", "localhost",
	"local", "lan", "internal", "intranet", "corp", "home", "private",
	"test", "example", "invalid", "onion", "arpa", "svc", "consul", "docker",
}

// keptLabels are labels below a suffix that stay: protocol and service labels
// of RFC 2782 and of directories, and names that all machines have.
var keptLabels = map[string]bool{
	"*": true, "localhost": true, "localdomain": true, "ip6-localhost": true, "ip6-loopback": true,
	"_tcp": true, "_udp": true, "_tls": true, "_sctp": true, "_ldap": true, "_ldaps": true,
	"_kerberos": true, "_kerberos-master": true, "_kpasswd": true, "_gc": true, "_msdcs": true,
	"_sites": true, "_http": true, "_https": true, "_sip": true, "_sips": true, "_xmpp-client": true,
	"_xmpp-server": true, "_ntp": true, "_nfs": true, "_smb": true, "_ssh": true, "_dmarc": true,
	"_domainkey": true, "_acme-challenge": true, "_etcd-server": true, "_etcd-client": true,
	"_etcd-server-ssl": true, "_etcd-client-ssl": true, "_imaps": true, "_submission": true,
}

func keptLabel(label []byte) bool { return keptLabels[string(label)] }

// keptSuffix returns how many bytes at the end of a folded name stay, the dot
// before them included. A name of one label has no suffix.
func keptSuffix(name []byte) int {
	body := bytes.TrimRight(name, ".")
	dots := len(name) - len(body)
	if bytes.IndexByte(body, '.') < 0 {
		return dots
	}
	for _, s := range privateSuffixes {
		if len(body) == len(s) && string(body) == s {
			return len(name)
		}
		if cut := len(body) - len(s) - 1; cut >= 0 && body[cut] == '.' && string(body[cut+1:]) == s {
			return len(s) + 1 + dots
		}
	}
	suffix, listed := publicsuffix.PublicSuffix(string(body))
	if !listed && !strings.Contains(suffix, ".") {
		return dots // the list's default rule: an unknown last label
	}
	if len(suffix) == len(body) {
		return len(name)
	}
	return len(suffix) + 1 + dots
}
