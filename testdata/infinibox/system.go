package infinibox

import "net/http"

var health = map[string]any{
	"active_drives": 480, "failed_drives": 0, "missing_drives": 0, "inactive_nodes": 0,
	"bbu_charge_level": 100, "rebuild_1_inprogress": false, "rebuild_2_inprogress": false, "encryption_enabled": true,
}

func (b *Box) system(w http.ResponseWriter, _ *http.Request, _ User) {
	now := b.opts.Now().UnixMilli()
	ok(w, map[string]any{
		"name": b.opts.Name, "serial_number": b.opts.Serial, "model": "F4304", "full_model": "F4304T",
		"version": b.opts.Version, "product_id": "INFINIBOX", "deployment_id": "",
		"uptime": 86_400_000, "install_timestamp": now - 86_400_000, "localtime": map[string]any{"utc_time": now},
		"operational_state": map[string]any{"state": "ACTIVE", "mode": "NORMAL", "init_state": nil, "read_only_system": false, "description": nil},
		"release":           map[string]any{"system": map[string]any{"version": b.opts.Version, "revision": "0", "build_mode": "release"}},
		"health_state":      health,
		"security":          map[string]any{"encryption_enabled": true, "system_security_state": "SECURED"},
		"entity_counts":     map[string]any{"volumes": 12, "filesystems": 3, "hosts": 8, "pools": 2},
	})
}

func (b *Box) ssh(w http.ResponseWriter, _ *http.Request, _ User) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ok(w, map[string]any{"open": b.sshOpen})
}

func (b *Box) setSSH(open bool) userHandler {
	return func(w http.ResponseWriter, _ *http.Request, _ User) {
		b.mu.Lock()
		b.sshOpen = open
		b.mu.Unlock()
		ok(w, map[string]any{"open": open})
	}
}

func (b *Box) appliances(w http.ResponseWriter, _ *http.Request, _ User) {
	ok(w, []any{map[string]any{"id": 1, "rack": 1, "index": 1, "state": "OK"}})
}

func (b *Box) nodes(w http.ResponseWriter, _ *http.Request, _ User) {
	var list []any
	for i := 1; i <= 3; i++ {
		list = append(list, map[string]any{"id": i, "index": i, "state": "ACTIVE", "connectivity_status": map[string]any{"support_appliances": "OK"}})
	}
	ok(w, list)
}

func (b *Box) idps(w http.ResponseWriter, _ *http.Request, _ User) {
	ok(w, []any{map[string]any{
		"id": 1, "name": "corporate", "issuer": "https://idp.example.com", "sign_on_url": "https://idp.example.com/sso/saml",
		"enabled": true, "signed_response": true, "signed_assertion": true, "signing_certificate_serial": "01", "signing_certificate_expiry": 1900000000000,
	}})
}

// ddeNodes lists the servers of an InfiniGuard.
func (b *Box) ddeNodes(w http.ResponseWriter, _ *http.Request, _ User) {
	var list []any
	for i := 1; i <= 2; i++ {
		list = append(list, map[string]any{"id": 17 + i, "node_id": i, "location": i, "dde_instance_id": i, "state": map[string]any{"health": "NORMAL", "lifecycle": "ACTIVE", "message": ""}})
	}
	page(w, list, map[string]any{"number_of_objects": len(list)})
}
