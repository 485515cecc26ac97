remote_acces = "allowed"
remote_access = "locked_of"
require_signature = "yes"
bundels { max_size = "1GB" }
session {
  max_duraton = "8h"
  max_duration = 8
  roles = ["admin", "admn"]
  roles = ["root"]
  window {
  }
  window "x" {
    days = ["mon-fry"]
    from = "8:00"
    to = "18:00"
    zone = "Europe/Zurch"
  }
  upload = true
}
engineer "x" { upload = 1 }
max_size = "3GB"
bundles {
  max_size = "3 gigs"
  deny_paths = ["/srv/../x", 7]
  redact "a" {
    regexp = "("
    anchors = ["ab"]
  }
  redact "b" { 
    literal = "xyz"
    key = "foo"
  }
}
notify { always = "support_connected" }
notify { always = ["support_conected"] }
