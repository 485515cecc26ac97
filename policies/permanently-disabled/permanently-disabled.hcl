# Remote access is off for good. When the agent loads this file it seals the
# system: an open session is cut, the keys and the trust in the vendor are
# destroyed, and nothing in the product turns remote access on again, not even
# after this file is gone. Only a new installation does. Bundles go on working.
#
# There is no way back. `remote-support disable --permanently` does the same
# after it has asked.

policy {
  name    = "permanently-disabled"
  version = 1
}

reason        = "decision of the board: no remote access to this system"
remote_access = "permanently_disabled"
