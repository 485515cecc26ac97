# A system that the vendor looks after. Remote access stays on: `remote-support
# off` is refused. What it may be used for is fixed instead.

policy {
  name    = "vendor-managed"
  version = 1
}

reason        = "managed service contract 2026-17"
remote_access = "locked_on"

network {
  reason = "managed service contract 2026-17, annex B"
  rss    = ["rss.vendor.example", "rss2.vendor.example"]
}

engineer {
  reason       = "managed service contract 2026-17, annex C"
  names        = ["*@managed.vendor.example"]
  require_case = true
  run_as       = ["support"]
  forwards     = ["127.0.0.1:443", "127.0.0.1:8443"]
  upload_paths = ["/var/lib/support/**"]
  recording    = "required"
}
