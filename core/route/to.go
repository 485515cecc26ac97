package route

// Logins are credentials for proxies that somebody entrusted to this machine;
// package sealed keeps them.
type Logins interface {
	// Login finds the user and the password for a proxy, given as
	// scheme://host:port without a user. The caller clears the password.
	Login(proxy string) (user string, password []byte, found bool, err error)
}

// To settles the route for one relay, host:port: which proxy the machine's
// settings name, and with which credentials, where none were given. A route
// that goes directly, or has its password, stays as it is. logins may be nil.
func (r Route) To(address string, logins Logins) (Route, error) {
	if !r.machine {
		return r.login(logins, false)
	}
	proxy, except := Environment()
	return r.toMachine(proxy, except, address, logins)
}

func (r Route) toMachine(proxy, except, address string, logins Logins) (Route, error) {
	url, had, err := machineProxy(proxy, except, address)
	if err != nil {
		return Route{}, err
	}
	settled, err := Parse(Options{Proxy: url, Bind: r.bind})
	if err != nil {
		return Route{}, err
	}
	settled.told = "the machine's settings"
	return settled.login(logins, had)
}

// login adds credentials that are kept. had says that the machine's settings
// hold a password: those can be read by everybody, so it is not used, and
// nobody should believe it was.
func (r Route) login(logins Logins, had bool) (Route, error) {
	if r.proxy == "" || r.password {
		return r, nil
	}
	if logins != nil && takesPassword(r.proxy) {
		user, password, found, err := logins.Login(r.proxy)
		if err != nil {
			return Route{}, err
		}
		defer clear(password)
		if found && (r.user == "" || r.user == user) {
			with, err := r.with(user, password)
			return with, err
		}
	}
	if had {
		return Route{}, wrong("HTTPS_PROXY of this machine holds a password, which is not used: take it out, and keep it with `remote-support proxy set %s`", r.proxyFor(r.user))
	}
	return r, nil
}
