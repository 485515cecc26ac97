session {
  max_duration = foo ? "1h" : "2h"
  users = [for u in x : u]
  mfa = !false
  roles = ["${admin}"]
}
