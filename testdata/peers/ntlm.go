package peers

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// NTLMDomain is the domain of the user of [SquidNTLM].
const NTLMDomain = "PEERHOST"

// SquidNTLM wants NTLM. The password is checked by a real winbind: version 2,
// all three legs.
func SquidNTLM(t testing.TB) *Proxy {
	t.Helper()
	NeedRoot(t)
	Need(t, "winbindd", "smbpasswd", "ntlm_auth")
	proxyGroup, err := user.LookupGroup("proxy")
	if err != nil {
		t.Skip("there is no group proxy")
	}
	dir := Dir(t)
	unix := "latchntlm" // the machine has to know the user
	makeAccount(t, unix)
	for _, d := range []string{"private", "lock", "state", "cache", "ncalrpc"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	smb := write(t, filepath.Join(dir, "smb.conf"), strings.NewReplacer("DIR", dir, "HOST", NTLMDomain).Replace(`[global]
server role = standalone
workgroup = PEERS
netbios name = HOST
security = user
passdb backend = tdbsam
private dir = DIR/private
lock directory = DIR/lock
state directory = DIR/state
cache directory = DIR/cache
pid directory = DIR
ncalrpc dir = DIR/ncalrpc
log file = DIR/log.%m
`))
	// Clients find winbind at this place only, whatever the configuration says.
	if err := os.MkdirAll("/run/samba", 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, nil, Password+"\n"+Password+"\n", "smbpasswd", "-c", smb, "-s", "-a", unix)
	background(t, "", nil, "winbindd", "-F", "--no-process-group", "-s", smb)
	privileged := filepath.Join(dir, "state", "winbindd_privileged")
	waitFor(t, func() bool {
		_, err := os.Stat(filepath.Join(privileged, "pipe"))
		return err == nil && exec.Command("ntlm_auth", "--configfile="+smb, "--domain="+NTLMDomain, "--username="+unix, "--password="+Password).Run() == nil
	})
	gid, _ := strconv.Atoi(proxyGroup.Gid)
	if err := os.Chown(privileged, 0, gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(privileged, 0o750); err != nil {
		t.Fatal(err)
	}
	p := squid(t, dir, "", fmt.Sprintf("auth_param ntlm program /usr/bin/ntlm_auth --configfile=%s --helper-protocol=squid-2.5-ntlmssp\nauth_param ntlm children 2\n", smb))
	p.Program += ", " + version("winbind", find("winbindd"), "--version")
	return p.login("NTLM version 2, checked by winbind", unix, Password)
}
