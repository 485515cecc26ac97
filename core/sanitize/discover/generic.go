package discover

import "strings"

// genericNames are names that identify nobody: standard entries of
// /etc/hosts, accounts that every distribution makes, and words that occur in
// every log.
var genericNames = set(`
localhost localhost4 localhost6 localdomain loopback broadcasthost ip6-localhost ip6-loopback ip6-localnet
ip6-mcastprefix ip6-allnodes ip6-allrouters ip6-allhosts host.docker.internal gateway.docker.internal kubernetes.docker.internal
host gateway router switch node server client master slave primary secondary main default local remote
test testing dev devel development stage staging prod production qa demo example sample lab temp tmp none null unknown
linux unix debian ubuntu centos fedora redhat rhel rocky alma almalinux suse opensuse arch alpine windows macos cloud
vm docker container kubernetes k8s proxy web www mail smtp imap pop ftp sftp ssh dns ntp nfs smb ldap db database sql
cache queue api app apps application backend frontend service services worker agent daemon monitor monitoring backup storage
store log logs syslog metrics data file files home work office build ci git gitlab jenkins registry mirror repo vpn firewall
root admin administrator user users group guest nobody nogroup daemon system operator support engineer service
account owner anonymous public private postgres mysql redis nginx apache httpd tomcat oracle elastic kafka zookeeper
systemd network dbus polkit audit cron ubuntu ec2-user vagrant pi core opc cloud-user centos admin
name info error warn warning debug trace fatal true false yes no on off up down start stop
`)

// genericDomains are ends of names inside any network.
var genericDomains = set(`
localdomain local lan internal intranet corp home private test example invalid onion arpa home.arpa
in-addr.arpa ip6.arpa cluster.local svc.cluster.local pod.cluster.local default.svc.cluster.local
com net org io dev cloud example.com example.org example.net docker.internal
localhost.localdomain compute.internal ec2.internal google.internal c.internal novalocal openstacklocal
`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// generic reports whether a short name, or a full one as a whole, is too
// common to be looked for: in the list, with a number behind or not
// ("node1"), or shorter than three characters.
func generic(name string) bool {
	if len(name) < 3 || genericNames[name] || genericDomains[name] {
		return true
	}
	stem := strings.TrimRight(name, "0123456789")
	return len(stem) < len(name) && len(name)-len(stem) <= 1 && genericNames[strings.TrimRight(stem, "-_")]
}

func genericDomain(name string) bool {
	return genericDomains[name] || genericNames[name] || strings.HasSuffix(name, ".arpa")
}
