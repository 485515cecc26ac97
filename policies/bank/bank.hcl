# A bank: support may look, in office hours, while two people of the bank watch,
# and no file crosses the line in either direction. All files are signed.

policy {
  name    = "bank"
  version = 1
}

network {
  reason     = "outbound connections go through the inspecting proxy (network standard 4.2)"
  rss        = ["rss.vendor.example:443"]
  transports = ["https"]
  proxies    = ["https://proxy.bank.example:3128"]
}

session {
  reason       = "privileged access needs a named person with two factors (access standard 2.1)"
  roles        = ["admin"]
  methods      = ["sso"]
  mfa          = true
  max_duration = "4h"

  resume_after_restart = false

  window "office-hours" {
    days = ["mon-fri"]
    from = "08:00"
    to   = "18:00"
    zone = "Europe/Zurich"
  }
}

approval {
  reason  = "four eyes (access standard 2.4)"
  people  = 2
  timeout = "5m"
}

engineer {
  reason       = "support reads, the bank changes (access standard 3.3)"
  names        = ["*@support.vendor.example"]
  require_case = true
  shell        = false
  run_as       = ["support-ro"]
  commands     = ["df -h", "uptime", "systemctl status *", "journalctl -u * -n 200"]
  forwards     = []
  upload       = false
  download     = false
  recording    = "required"

  vendor_reads_recordings = false
}

bundles {
  reason       = "no customer data leaves the bank (data standard 1.1)"
  collectors   = ["system", "logs"]
  destinations = ["rss.vendor.example:443"]
  max_size     = "200MB"
  deny_paths   = ["/srv/**", "/opt/core-banking/**"]

  redact "iban" {
    regexp  = "\\b(?P<mask>[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30})\\b"
    anchors = ["IBAN", "iban"]
  }
  redact "customer-number" {
    key = "customer_id"
  }
  redact "project" {
    literal = "Project Heron"
  }
}

plugins {
  reason      = "only what the product ships, and only where it can be confined (host standard 5)"
  states      = ["builtin"]
  allow       = ["transport/https", "auth/sso", "collect/system", "collect/logs", "eventsink/syslog"]
  min_sandbox = "no-port-rules"
}

notify {
  always = ["*"]
}
