package cert

import "fmt"

// Check names what did not hold.
type Check string

// The checks of an upload.
const (
	Readable   Check = "readable"    // it is PEM text that holds what is needed
	NoPassword Check = "no password" // the key is not encrypted
	KeyType    Check = "key type"    // RSA 2048 or 4096, P-256 or P-384
	KeyMatches Check = "key matches" // the key is that of the certificate
	NotExpired Check = "not expired"
	NotFuture  Check = "not in the future"
	Name       Check = "name" // it is for this system
	Purpose    Check = "purpose"
	Chain      Check = "chain"
	Fields     Check = "fields" // of a request or of a self-signed certificate
)

// Refused says which check did not hold, and what to do about it.
type Refused struct {
	Check   Check
	Message string
	Help    string
}

func (r *Refused) Error() string { return r.Message }

// Hint is what to do.
func (r *Refused) Hint() string { return r.Help }

// ExitCode is that of a check which did not hold, or of wrong usage.
func (r *Refused) ExitCode() int {
	if r.Check == Fields {
		return 2
	}
	return 4
}

func refuse(c Check, help, format string, args ...any) error {
	return &Refused{c, fmt.Sprintf(format, args...), help}
}
