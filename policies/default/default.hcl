# What the packages install. Remote access is used when somebody switches it on,
# for a working day at most, and leaves a recording. Change it as you need: this
# file is yours. docs/POLICY.md describes every key.

policy {
  name    = "default"
  version = 1
}

remote_access = "allowed"

session {
  reason       = "a session that nobody remembers is a door that nobody watches"
  roles        = ["admin", "root"]
  max_duration = "24h"

  # After a restart somebody should decide again.
  resume_after_restart = false
}

engineer {
  reason    = "support works on this machine, and what it did can be seen afterwards"
  recording = "required"
  forwards  = ["127.0.0.1:*", "[::1]:*"]
}

bundles {
  reason   = "a bundle is for reading, not for moving data"
  max_size = "2GB"

  deny_collectors = ["core-dumps"]
  deny_paths      = ["/home/**", "/root/**"]
}

notify {
  always = ["support_session_started", "support_connected", "support_disconnected", "support_session_ended"]
}
