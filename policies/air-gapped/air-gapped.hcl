# A machine without a network. Bundles are written to a file, looked at, and
# carried by hand. Nothing is ever sent from here, whatever is configured.

policy {
  name    = "air-gapped"
  version = 1
}

remote_access = "locked_off"

network {
  reason     = "this machine has no way out"
  rss        = []
  transports = []
  proxies    = []
}

bundles {
  reason = "bundles leave on a medium that the security desk has checked"
  send   = false
}

plugins {
  reason = "nothing that could open a connection"
  deny   = ["transport/*", "auth/*", "eventsink/*"]
}
