package api

// Revocations is the vendor's list of revoked certificates, as package revoke
// signs it. Nobody needs to believe who carries it. Empty: there is none.
type Revocations struct {
	List string `json:"list"`
}
