# Remote access is off, and neither the command line, the web page, single
# sign-on, a challenge nor the global switch of local.cfg turns it on. Bundles
# go on working. Remove the file, or write "allowed", to give it back.

policy {
  name    = "locked-off"
  version = 1
}

reason        = "no remote access before the review of the security team"
remote_access = "locked_off"
