package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/resume"
)

// The relay connects by itself. A certificate it has, since engineers show
// theirs in clear.
var guesses = []Case{
	{"guesses-secret", "connects without an engineer, with a certificate that it saw, and tries secrets one after the other", Refused, guessesSecret},
	{"guesses-at-once", "tries twenty secrets at the same moment", Refused, guessesAtOnce},
	{"guesses-and-hangs-up", "hangs up as soon as it has the answer to its guess, so that the guess might not count", Refused, guessesAndHangsUp},
	{"guesses-while-engineer-comes", "uses the engineer's visits, which set nothing back, to guess more than three times", Refused, guessesBetween},
	{"knows-secret-only", "has overheard the secret, and has certificates that the vendor did not sign, not for this system, or not for now", Refused, knowsSecret},
	{"knows-secret-and-certificate", "has overheard the secret and has the engineer's certificate, but not his key", Refused, knowsBoth},
	{"steals-enrolment", "connects with the name under which the system knows an engineer, and keys of its own", Refused, stealsEnrolment},
	{"noise", "sends what is no handshake: a web request, zeros, a flood", Harmless, noise},
}

// seen is an engineer as the relay can play him: with a certificate that it saw
// and without the key.
func (w *world) seen() (*engineer, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return nil, err
	}
	v.leave()
	var c struct {
		Certificate string `json:"certificate"`
	}
	if err := json.Unmarshal(w.splice(-1).handshakeSeen(claim), &c); err != nil {
		return nil, untested{err}
	}
	key, err := identity.ParseKey(c.Certificate)
	cert, ok := key.(*ssh.Certificate)
	if err != nil || !ok {
		return nil, untested{errors.New("the claim shows no certificate")}
	}
	own, err := newKey()
	return &engineer{w: w, name: "ada", key: own, cert: cert}, err
}

// guess tries one secret. It reports the refusal, and whether the system had
// answered: whether the guess was one.
func (w *world) guess(as *engineer, secret string, hangUp bool) (answered bool, err error) {
	conn, err := w.alone(w.id)
	if err != nil {
		return false, untested{err}
	}
	defer conn.Close()
	// What comes from the system passes here, to see when it answers.
	near, far := net.Pipe()
	defer near.Close()
	counted := make(chan error, 1)
	go func() {
		defer far.Close()
		in := reader{r: conn}
		for {
			u, err := in.next()
			if err != nil {
				return
			}
			if u.kind == answer && !u.frame {
				counted <- w.countedOnDisk()
				if hangUp {
					return
				}
			}
			if _, err := far.Write(u.b); err != nil {
				return
			}
		}
	}()
	go func() {
		b := make([]byte, 16<<10)
		for {
			n, err := far.Read(b)
			if err != nil {
				conn.Close()
				return
			}
			if _, err := conn.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	hs, err := as.handshake(ctx, near, w.system, secret)
	if err == nil {
		hs.Close()
		return true, errors.New("a guess was right")
	}
	select {
	case e := <-counted:
		if e != nil {
			return true, e
		}
		return true, err
	default:
		return false, err
	}
}

// errUncounted is an answer that came before its attempt was written down.
var errUncounted = errors.New("the system answered before the attempt was counted on its disk")

// countedOnDisk is called when an answer arrives. In guessesSecret one attempt
// is made at a time, so the count must be above that of the refusals so far.
func (w *world) countedOnDisk() error {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(w.root.Session()), "attempts.json"))
	if err != nil {
		return errUncounted
	}
	var a struct{ Used int }
	if err := json.Unmarshal(b, &a); err != nil || a.Used <= len(w.events(audit.SecretWrong)) {
		return errUncounted
	}
	return nil
}

// burnt checks that the secret is void, loudly, and that a new one works.
func (w *world) burnt(guessed int) error {
	if err := w.until("the audit log says that the secret is void", func() bool { return len(w.events(audit.SecretBurnt)) == 1 }); err != nil {
		return err
	}
	if wrong := len(w.events(audit.SecretWrong)); guessed != handshake.Tries || wrong != handshake.Tries {
		return fmt.Errorf("%d guesses were answered and %d recorded, of %d", guessed, wrong, handshake.Tries)
	}
	if w.state().SecretGood {
		return errors.New("the secret is still shown as good")
	}
	if err := w.eng.forget(w.system); err != nil {
		return err
	}
	w.set(plan{})
	// After a flood the system dials back only so often: until it answers.
	var err error
	for range 20 {
		var conn *connect.Conn
		if conn, err = w.eng.dial(w.system); err == nil {
			conn.Abort("")
			return errors.New("the void secret still lets in")
		}
		if codeOf(err) != "" || w.ctx.Err() != nil {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if codeOf(err) != handshake.CodeBurnt {
		return fmt.Errorf("the engineer is not told that the secret is void: %w", err)
	}
	return w.after()
}

func guessesSecret(w *world) (string, error) {
	as, err := w.seen()
	if err != nil {
		return "", err
	}
	guessed := 0
	for i := range 5 {
		answered, err := w.guess(as, fmt.Sprintf("GUESS-NUMBER-%d", i), false)
		if err == nil || errors.Is(err, errUncounted) || codeOf(err) == "" {
			return "", err
		}
		if answered {
			guessed++
		}
	}
	return "three guesses, each on disk before it was answered; then the secret was void, the audit log said so, and a new one let the engineer in", w.burnt(guessed)
}

func guessesAtOnce(w *world) (string, error) {
	as, err := w.seen()
	if err != nil {
		return "", err
	}
	var mu sync.Mutex
	guessed := 0
	var bad error
	for range 3 { // those that were turned away come again
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				answered, err := w.guess(as, fmt.Sprintf("GUESS-NUMBER-%d", i), false)
				mu.Lock()
				defer mu.Unlock()
				if answered {
					guessed++
				}
				var u untested
				if errors.Is(err, errUncounted) || err != nil && err.Error() == "a guess was right" {
					bad = err
				} else if errors.As(err, &u) && !errors.Is(u.error, errNoAnswer) { // the system bounds how often it dials
					bad = err
				}
			})
		}
		all.Wait()
	}
	if bad != nil {
		return "", bad
	}
	return "three of thirty were answered, the others turned away; then the secret was void", w.burnt(guessed)
}

func guessesAndHangsUp(w *world) (string, error) {
	as, err := w.seen()
	if err != nil {
		return "", err
	}
	guessed := 0
	for i := range 4 {
		wrong := len(w.events(audit.SecretWrong))
		answered, err := w.guess(as, fmt.Sprintf("GUESS-NUMBER-%d", i), true)
		if errors.Is(err, errUncounted) {
			return "", err
		}
		if answered {
			guessed++
			if err := w.until("the attempt is recorded", func() bool { return len(w.events(audit.SecretWrong)) > wrong }); err != nil {
				return "", err
			}
		}
	}
	return "each counted all the same; the third one made the secret void", w.burnt(guessed)
}

func guessesBetween(w *world) (string, error) {
	as, err := w.seen()
	if err != nil {
		return "", err
	}
	guessed := 0
	for i := range 4 {
		if err := w.eng.forget(w.system); err != nil {
			return "", err
		}
		if i < handshake.Tries {
			v, err := w.eng.enter(w.system)
			if err != nil {
				return "", err
			}
			v.leave()
		}
		answered, err := w.guess(as, fmt.Sprintf("GUESS-NUMBER-%d", i), false)
		if errors.Is(err, errUncounted) {
			return "", err
		}
		if answered {
			guessed++
		}
	}
	return "a right secret in between did not give a wrong one back: after three it was void", w.burnt(guessed)
}

func knowsSecret(w *world) (string, error) {
	forged, err := w.mallory()
	if err != nil {
		return "", err
	}
	tries := map[string]*engineer{"not signed by the vendor": forged}
	for what, r := range map[string]connect.CertificateRequest{
		"for another system": {Systems: []string{"array-8"}, Valid: time.Hour},
		"expired":            {Now: time.Now().Add(-48 * time.Hour), Valid: time.Hour},
		"of tomorrow":        {Now: time.Now().Add(24 * time.Hour), Valid: time.Hour},
	} {
		e, err := w.newEngineer("mallory")
		if err != nil {
			return "", err
		}
		r.Key, r.Name = e.key.PublicKey(), "mallory"
		if e.cert, err = connect.Certify(w.relay.vendor.supportCA, r); err != nil {
			return "", untested{err}
		}
		tries[what] = e
	}
	for what, e := range tries {
		answered, err := w.guess(e, w.told, false)
		if answered || codeOf(err) != handshake.CodeCertificate {
			return "", fmt.Errorf("a certificate %s with the right secret: %v", what, err)
		}
	}
	if left := w.state().TriesLeft; left != handshake.Tries {
		return "", fmt.Errorf("what is no guess cost a try: %d left", left)
	}
	return "refused four times: the secret alone opens nothing, and none of it cost a try", w.after()
}

func knowsBoth(w *world) (string, error) {
	as, err := w.seen()
	if err != nil {
		return "", err
	}
	conn, err := w.alone(w.id)
	if err != nil {
		return "", untested{err}
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(w.ctx, 15*time.Second)
	defer cancel()
	hs, err := as.handshake(ctx, conn, w.system, w.told)
	if err != nil {
		return "", fmt.Errorf("the handshake: %w", err)
	}
	reply, err := hs.Ask(ctx, handshake.Request{Open: true}, nil)
	if err != nil {
		return "", err
	}
	w.may++
	stream := resume.NewStream(hs.StreamKey(), resume.Options{})
	defer stream.Abort("")
	if err := stream.Attach(hs.Raw(), reply.Received); err != nil {
		return "", err
	}
	// A signature that the relay makes with a key of its own, in the name of the
	// certificate's.
	if v, err := as.over(stream, hs); err == nil {
		v.leave()
		return "", errors.New("SSH took a certificate whose key nobody showed")
	}
	if err := w.until("the connection is closed", func() bool { return len(w.state().Connections) == 0 }); err != nil {
		return "", err
	}
	if done := w.events(audit.AccessShell, audit.AccessCommand, audit.AccessFile, audit.AccessForward); len(done) > 0 {
		return "", fmt.Errorf("something was done: %s", done[0].Type)
	}
	return "the connection was begun and is in the audit log, but SSH let nothing through it: the engineer's key did not sign", w.after()
}

func stealsEnrolment(w *world) (string, error) {
	if err := w.twoVisits(); err != nil {
		return "", err
	}
	as, err := w.seen()
	if err != nil {
		return "", err
	}
	var c struct {
		Enrolment string `json:"enrolment"`
	}
	if err := json.Unmarshal(w.splice(1).handshakeSeen(claim), &c); err != nil || c.Enrolment == "" {
		return "", untested{fmt.Errorf("the second claim names no enrolment: %v", err)}
	}
	offered := w.state()
	for _, key := range [][]byte{make([]byte, 32), []byte(strings.Repeat("k", 32)), []byte(c.Enrolment)} {
		conn, err := w.alone(w.id)
		if err != nil {
			return "", untested{err}
		}
		witness, err := newKey()
		if err != nil {
			return "", err
		}
		hs, err := handshake.Connect(w.ctx, conn, handshake.ClientOptions{System: w.id, Session: offered.ID, Certificate: as.cert, Case: "INF-7", Witness: witness.PublicKey(),
			Enrolment: &handshake.Enrolment{ID: c.Enrolment, Key: key}})
		if err == nil {
			hs.Close()
			return "", errors.New("a guessed key was right")
		}
		if codeOf(err) != handshake.CodeSecret {
			return "", err
		}
	}
	return "refused three times: the name of an enrolment is no key", w.after()
}

func noise(w *world) (string, error) {
	for _, b := range [][]byte{[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 64<<10), message(claim, []byte("{}")), message(sealed, make([]byte, 100)),
		message(refuse, []byte(`{"code":"ended","reason":"\u001b]0;x\u0007"}`)), {255, 255, 255}} {
		refusals := len(w.events(audit.ConnectionRefused))
		conn, err := w.alone(w.id)
		if err != nil {
			return "", untested{err}
		}
		if _, err := conn.Write(b); err != nil {
			return "", untested{err}
		}
		if len(b) == 3 {
			conn.Close()
		}
		if sealedFrom(conn) {
			return "", errors.New("the system believes noise")
		}
		conn.Close()
		if err := w.until("it is recorded", func() bool { return len(w.events(audit.ConnectionRefused)) > refusals }); err != nil {
			return "", err
		}
	}
	if left := w.state().TriesLeft; left != handshake.Tries {
		return "", fmt.Errorf("noise cost a try: %d left", left)
	}
	return "refused and recorded each time; no try was lost by it", w.after()
}
