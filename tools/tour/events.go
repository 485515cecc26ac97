package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// arrayEvents shows what the administrator of the array sees of the session.
func (t *tour) arrayEvents(ctx context.Context) error {
	t.heading("The array's own event log tells of the session too")
	wanted := []string{"SUPPORT_SESSION_STARTED", "SUPPORT_CONNECTED", "SUPPORT_DISCONNECTED", "SUPPORT_SESSION_ENDED"}
	// An array shows events some seconds after they came.
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		list, err := t.askEvents(ctx)
		if err != nil {
			return err
		}
		next := 0
		for _, e := range list {
			if next < len(wanted) && e.Code == wanted[next] {
				next++
			}
		}
		if next == len(wanted) && list[len(list)-1].Code == wanted[next-1] {
			for _, e := range list {
				if slices.Contains(wanted, e.Code) {
					t.say("   %s  %-24s  %-5s  %s", time.UnixMilli(e.Timestamp).Format(time.TimeOnly), e.Code, e.Username, e.Description)
				}
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the events of the session did not come to the array, or not in order")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// arrayEvent is an entry of the array's event log.
type arrayEvent struct {
	Code        string `json:"code"`
	Username    string `json:"username"`
	Description string `json:"description"`
	Timestamp   int64  `json:"timestamp"` // milliseconds since 1970
}

func (t *tour) askEvents(ctx context.Context) ([]arrayEvent, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.arrayURL+"/api/rest/events?page_size=1000", nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("admin", "123456")
	// It was made for this tour a moment ago, on this machine.
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the array for its events: %w", err)
	}
	defer resp.Body.Close()
	var body struct {
		Result []arrayEvent `json:"result"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return nil, fmt.Errorf("read the array's events: %w", err)
	}
	return body.Result, nil
}
