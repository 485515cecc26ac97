package infinibox

import (
	"fmt"
	"net"
	"net/http"
	"net/smtp"
	"strconv"
)

// targetID is the id of infinidat-smtp; clients must look it up by name.
const targetID = 1

func (b *Box) listTargets(w http.ResponseWriter, r *http.Request, _ User) {
	host, port, err := net.SplitHostPort(b.opts.SMTP)
	if err != nil {
		host, port = "smtp.example.com", "25"
	}
	n, _ := strconv.Atoi(port)
	list := []any{}
	if name := filter(r, "name"); name == "" || name == "infinidat-smtp" {
		list = append(list, map[string]any{
			"id": targetID, "name": "infinidat-smtp", "protocol": "SMTP", "host": host, "port": n, "tls": false,
			"from_address": b.opts.Name + "@example.com", "username": nil, "visibility": "INFINIDAT",
		})
	}
	page(w, list, map[string]any{"number_of_objects": len(list)})
}

// testTarget sends a real mail, so that a relay that refuses the recipient or
// a port that is shut show up as they would.
func (b *Box) testTarget(w http.ResponseWriter, r *http.Request, _ User) {
	var in struct{ Recipients []string }
	if !read(w, r, &in) {
		return
	}
	if r.PathValue("id") != strconv.Itoa(targetID) {
		fail(w, http.StatusNotFound, "NOTIFICATION_TARGET_NOT_FOUND", "no such target") // code invented
		return
	}
	if err := b.mail(in.Recipients); err != nil {
		fail(w, http.StatusConflict, "NOTIFICATION_TEST_FAILED", err.Error()) // code invented
		return
	}
	ok(w, map[string]any{"sent": true})
}

func (b *Box) mail(to []string) error {
	if b.opts.SMTP == "" {
		return fmt.Errorf("no mail server is configured")
	}
	body := fmt.Sprintf("Subject: test of infinidat-smtp\r\n\r\nTest notification of %s, serial %d.\r\n", b.opts.Name, b.opts.Serial)
	if err := smtp.SendMail(b.opts.SMTP, nil, b.opts.Name+"@example.com", to, []byte(body)); err != nil {
		return fmt.Errorf("send test mail: %w", err)
	}
	return nil
}
