package scan

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whose a secret is and where it is good stands beside it: in the columns of its
// table, in its object, connection string or command.
func TestWhose(t *testing.T) {
	for text, want := range map[string][]string{
		"\"host\";\"login\";\"password\"\n\"fw1\";\"olga\";\"x7Riegel\"\n":                             {"fw1", "olga"},
		"INSERT INTO accounts (id,login,password) VALUES (1,'olga','x7Riegel'),(2,'root','y7Riegel');": {"olga"},
		"|| Host || User || Password ||\n|| db-a1 || olga || x7Riegel ||\n":                            {"db-a1", "olga"},
		`{"users":[{"name":"olga","password_hash":"x7Riegel"},{"name":"pump","password":"y7Riegel"}]}`: {"olga", "pump"},
		`<user name="olga" roles="manager" password="x7Riegel"/>`:                                      {"olga"},
		`{"name":"Prometheus","type":"prometheus","password":"x7Riegel"}`:                              nil,
		`"Server=till-db;Database=pos;Uid=olga;Pwd=x7Riegel;Encrypt=yes"`:                              {"olga", "till-db"},
		`c:Default = Data Source=sql-a\SHOP,1433;User ID=olga;Password=x7Riegel;`:                      {"olga", "sql-a"},
		`dsn = "olga:x7Riegel@tcp(db.x:3306)/shop"`:                                                    {"olga"},
		`url="jdbc:oracle:thin:olga/x7Riegel@//db:1521/x"`:                                             {"olga"},
		`psexec \\ws-114 -u NORTH\olga -p x7Riegel cmd`:                                                {"olga", "ws-114"},
		`ipmitool -I lanplus -H bmc-4 -U olga -P x7Riegel sel list`:                                    {"bmc-4", "olga"},
		`smbclient -L //filer9 -U 'NORTH\olga%x7Riegel'`:                                               {"filer9", "olga"},
		`New-Object PSCredential('NORTH\svc-olga', $pw)`:                                               {"svc-olga"},
		"fatal: [db-2]: FAILED! => {}":                                                                 {"db-2"},
		"ok: [localhost]":                                                                              nil,
		"db-2     : ok=3    changed=1    unreachable=0":                                                {"db-2"},
		"uid: olga":                                 {"olga"},
		"uid: 1000":                                 nil,
		"Machine: ADM-04 (Microsoft Windows NT)":    {"ADM-04"},
		"Benutzername: olga":                        {"olga"},
		"Utilisateur : olga":                        {"olga"},
		"From: Olga Perrin <l.perrin@mill.example>": {"Olga Perrin", "l.perrin@mill.example"},
		"use <a.b@mill.example> for that, or The <c.d@mill.example> list": {"a.b@mill.example", "c.d@mill.example"},
		"HOSTNAME=9c4e1a7b3d52": {"9c4e1a7b3d52"},
		"core-sw1(config)#username olga privilege 15 secret 9 x7Riegel": {"core-sw1", "olga"},
		"sw-a1#show run\nsw-a1>enable":                                  {"sw-a1"},
		"FW-NORTH (global) # end\nmill1::*> set diag":                   {"FW-NORTH", "mill1"},
		"fab-2:olga> switchshow":                                        {"fab-2", "olga"},
		"olga@qfx-a1> show version\nroot@erp-d1# ls":                    {"erp-d1", "olga", "qfx-a1"},
		"Buffer->Get(x)\nmysql> show tables;\nstep-2> run it\na-b>x>y":  nil,
		"sql(olga,10.1.2.3,<x>): y":                                     {"olga"},
		"leftid=@fw-north\n id-1 = @fw-south\nuid = @param1x":           {"fw-north", "fw-south"},
		"sysname core-7":         {"core-7"},
		"SubsysName: \"cpuset\"": nil,
	} {
		s := New()
		s.Identify = true
		s.Scan([]byte(text), 0, len(text))
		var got []string
		for _, id := range s.Idents {
			if id.What == User || id.What == Host || id.What == Email {
				got = append(got, text[id.Start:id.End])
			}
		}
		got = slices.DeleteFunc(got, func(v string) bool { return strings.HasPrefix(v, "db.") || v == "db" })
		slices.Sort(got)
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
}
