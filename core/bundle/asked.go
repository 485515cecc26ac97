package bundle

import (
	"slices"
	"time"
)

// Asked is a request of the vendor and the customer's answer to it.
type Asked struct {
	ID       string      `json:"id"`
	Engineer string      `json:"engineer"` // by his certificate
	Case     string      `json:"case,omitempty"`
	Reason   string      `json:"reason,omitempty"`
	Created  time.Time   `json:"created"`
	Items    []AskedItem `json:"items"`
}

// AskedItem is one thing that the vendor asked for.
type AskedItem struct {
	Kind    string `json:"kind"` // collect, include, command
	Value   string `json:"value"`
	Granted bool   `json:"granted"`
	Reason  string `json:"reason,omitempty"` // why it was not granted
}

func (a *Asked) clone() *Asked {
	if a == nil {
		return nil
	}
	c := *a
	c.Items = slices.Clone(a.Items)
	return &c
}
