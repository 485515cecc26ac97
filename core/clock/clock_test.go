package clock

import "testing"

func TestSystem(t *testing.T) {
	a, boot, err := System.Boot()
	if err != nil {
		t.Fatal(err)
	}
	b, again, err := System.Boot()
	if err != nil {
		t.Fatal(err)
	}
	if boot == "" || boot != again || b < a || a <= 0 || System.Now().IsZero() {
		t.Errorf("%v %q, %v %q", a, boot, b, again)
	}
}
