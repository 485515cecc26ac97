package plugintest

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/failure"
)

// Auth runs the conformance suite of authentication methods against what
// newImpl makes.
func Auth(t *testing.T, newImpl func() auth.Method, opts ...Options) {
	t.Helper()
	runSuite(t, wire.RoleAuth, first(opts), func() any { return newImpl() })
}

var authCases = []aCase{
	{"login", "the right answers give the right identity, without a secret in it", testLogin},
	{"wrong-answers", "wrong answers are refused with a reason and without repeating them", testWrongAnswers},
	{"hostile-answers", "empty, huge and strange answers are refused, not a panic", testHostileAnswers},
	{"give-up", "a user who gives up ends the conversation", testGiveUp},
	{"cancel-login", "a cancelled conversation ends within 100 ms", testCancelLogin},
	{"probe-login", "a probe reports its steps, each with a name, asks nobody and shows no secret", testProbeLogin},
	{"many-logins", "conversations run concurrently and are not mixed up", testManyLogins},
}

// maxQuestions ends a conversation that would go on for ever.
const maxQuestions = 20

// talk plays a user: answer makes the answers to one question, or nil to give
// up. It returns the result.
func (c *check) talk(ctx context.Context, l *link, answer func(*pluginv1.AuthAsk) map[string][]byte) (*pluginv1.AuthResult, error) {
	stream, err := l.auth.Authenticate(ctx)
	if err != nil {
		return nil, err
	}
	begin := &pluginv1.AuthBegin{Client: "plugintest", Host: "test.example", Facts: map[string]string{}}
	if err := stream.Send(&pluginv1.AuthFromHost{Message: &pluginv1.AuthFromHost_Begin{Begin: begin}}); err != nil {
		return nil, err
	}
	for asked := 0; ; {
		msg, err := stream.Recv()
		if err == io.EOF {
			return nil, errors.New("the conversation ended without a result")
		}
		if err != nil {
			return nil, err
		}
		switch m := msg.GetMessage().(type) {
		case *pluginv1.AuthFromPlugin_Result:
			c.noCanary("the result of a login", m.Result.String())
			return m.Result, nil
		case *pluginv1.AuthFromPlugin_Show:
			c.noCanary("a notice", m.Show.String())
		case *pluginv1.AuthFromPlugin_Ask:
			c.noCanary("a question", m.Ask.String())
			if asked++; asked > maxQuestions {
				return nil, errors.New("the method asks again and again; the host decides how often a user may try")
			}
			values := answer(m.Ask)
			reply := &pluginv1.AuthAnswer{Values: values, Cancelled: values == nil}
			err := stream.Send(&pluginv1.AuthFromHost{Message: &pluginv1.AuthFromHost_Answer{Answer: reply}})
			if err != nil && err != io.EOF {
				return nil, err
			}
		}
	}
}

// right answers as the author said.
func (c *check) right(ask *pluginv1.AuthAsk) map[string][]byte {
	out := make(map[string][]byte)
	for _, f := range ask.GetFields() {
		out[f.GetName()] = []byte(c.opts.Login.Answers[f.GetName()])
	}
	return out
}

// filled answers every field with the same value.
func filled(value string) func(*pluginv1.AuthAsk) map[string][]byte {
	return func(ask *pluginv1.AuthAsk) map[string][]byte {
		out := make(map[string][]byte)
		for _, f := range ask.GetFields() {
			out[f.GetName()] = []byte(value)
		}
		return out
	}
}

// secretAnswers makes canaries of the answers to secret fields.
func (c *check) secretAnswers(ask *pluginv1.AuthAsk, values map[string][]byte) {
	for _, f := range ask.GetFields() {
		if f.GetSecret() {
			c.canary(string(values[f.GetName()]))
		}
	}
}

func testLogin(c *check) {
	l := c.start("")
	if c.opts.Login == nil {
		c.Skipf("Options.Login is not set")
	}
	result, err := c.talk(c.ctx(20*time.Second), l, func(ask *pluginv1.AuthAsk) map[string][]byte {
		values := c.right(ask)
		c.secretAnswers(ask, values)
		return values
	})
	if err != nil {
		c.Fatalf("login: %v", err)
	}
	if result.GetFailure() != nil {
		c.Fatalf("login with the right answers: %v", wire.ErrorOf(result.GetFailure()))
	}
	if result.GetUser() != c.opts.Login.User || result.GetMethod() == "" {
		c.Errorf("login gave user %q by method %q, want user %q", result.GetUser(), result.GetMethod(), c.opts.Login.User)
	}
}

// refusedFor are the codes of a login that did not work.
var refusedFor = []failure.Code{failure.BadLogin, failure.Denied, failure.LockedOut, failure.Cancelled, failure.Timeout, failure.Unreachable, failure.Refused}

func testWrongAnswers(c *check) {
	l := c.start("")
	wrong := c.canary("")
	result, err := c.talk(c.ctx(20*time.Second), l, filled(wrong))
	if err != nil {
		c.Fatalf("login with wrong answers: %v", err)
	}
	if result.GetFailure() == nil || result.GetUser() != "" {
		c.Fatalf("wrong answers gave the user %q", result.GetUser())
	}
	c.failure("login with wrong answers", result.GetFailure(), refusedFor...)
}

func testHostileAnswers(c *check) {
	l := c.start("")
	for name, value := range map[string]string{
		"empty": "", "huge": strings.Repeat("A", 1<<20), "binary": "\x00\xff\x1b[2J\r\n", "injection": "*)(uid=*))(|(uid=*' OR '1'='1",
	} {
		result, err := c.talk(c.ctx(20*time.Second), l, filled(value))
		if err != nil {
			c.Errorf("%s answers: %v", name, err)
			continue
		}
		if result.GetFailure() == nil {
			c.Errorf("%s answers gave the user %q", name, result.GetUser())
			continue
		}
		c.failure(name+" answers", result.GetFailure())
	}
	result, err := c.talk(c.ctx(20*time.Second), l, func(*pluginv1.AuthAsk) map[string][]byte {
		return map[string][]byte{"nobody asked": []byte("x")}
	})
	if err != nil || result.GetFailure() == nil {
		c.Errorf("answers to other questions: %v, %v", result, err)
	}
}

func testGiveUp(c *check) {
	asked := false
	result, err := c.talk(c.ctx(20*time.Second), c.start(""), func(*pluginv1.AuthAsk) map[string][]byte {
		asked = true
		return nil
	})
	if err != nil {
		c.Fatalf("give up: %v", err)
	}
	if asked {
		c.failure("give up", result.GetFailure(), failure.Cancelled)
	}
}

func testCancelLogin(c *check) {
	l := c.start("")
	c.within("ending a cancelled login", cancelLimit, func() time.Duration {
		ctx, cancel := context.WithCancel(c.ctx(20 * time.Second))
		defer cancel()
		var began time.Time
		_, err := c.talk(ctx, l, func(ask *pluginv1.AuthAsk) map[string][]byte {
			began = time.Now()
			cancel()
			<-ctx.Done()
			return filled("x")(ask)
		})
		if began.IsZero() {
			return 0 // it never asked
		}
		if err == nil {
			c.Logf("the result was faster than the cancellation")
		}
		l.idle()
		return time.Since(began)
	})
}

func testProbeLogin(c *check) {
	l := c.start("")
	if !hasTrait(c.desc, wire.TraitProbe) {
		c.Skipf("the method shows no steps")
	}
	stream, err := l.auth.Probe(c.ctx(20*time.Second), &pluginv1.AuthProbeRequest{})
	if err != nil {
		c.Fatalf("probe: %v", err)
	}
	for n := 0; ; n++ {
		step, err := stream.Recv()
		if err == io.EOF {
			if n == 0 {
				c.Errorf("a probe without steps")
			}
			return
		}
		if err != nil {
			c.Fatalf("probe: %v", err)
		}
		if step.GetName() == "" {
			c.Errorf("step %d of a probe has no name", n)
		}
		c.noCanary("a step of a probe", step.String())
		if step.GetFailure() != nil {
			c.failure("step "+step.GetName(), step.GetFailure())
		}
	}
}

func testManyLogins(c *check) {
	l := c.start("")
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			good := c.opts.Login != nil && i%2 == 0
			answer := filled("wrong")
			if good {
				answer = c.right
			}
			result, err := c.talk(c.ctx(30*time.Second), l, answer)
			switch {
			case err != nil:
				c.Errorf("login %d of 10 at once: %v", i, err)
			case good != (result.GetFailure() == nil):
				c.Errorf("login %d of 10 at once: right answers %v, but %v", i, good, wire.ErrorOf(result.GetFailure()))
			}
		})
	}
	all.Wait()
}
