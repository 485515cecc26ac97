package encoding

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

func wide(kind Kind, s string) []byte {
	var b bytes.Buffer
	w := NewWriter(&b, kind)
	io.WriteString(w, s)
	w.Close()
	return b.Bytes()
}

func TestDetect(t *testing.T) {
	latin := "2024-01-01 the service started\r\npassword = hunter2\r\n"
	le := wide(UTF16LE, latin)
	cases := []struct {
		name string
		in   []byte
		want Kind
	}{
		{"empty", nil, UTF8},
		{"ascii", []byte(latin), UTF8},
		{"utf-8 bom", []byte("\ufeff" + latin), UTF8},
		{"latin-1", []byte("caf\xe9 und stra\xdfe, password=x\n"), UTF8},
		{"utf-16le bom", append([]byte{0xff, 0xfe}, le...), UTF16LE},
		{"utf-16le", le, UTF16LE},
		{"utf-16le odd", append(le, 'x'), UTF16LE},
		{"utf-16be bom", wide(UTF16BE, "\ufeff"+latin), UTF16BE},
		{"utf-16be", wide(UTF16BE, latin), UTF16BE},
		{"utf-16le mixed script", wide(UTF16LE, "Пароль: hunter2 сервера и password=geheim, все хорошо в строке\n"), UTF16LE},
		{"utf-32le", wide(UTF32LE, latin), UTF32LE},
		{"utf-32le bom", wide(UTF32LE, "\ufeff"+latin), UTF32LE},
		{"utf-32be", wide(UTF32BE, latin), UTF32BE},
		{"elf", append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00"), bytes.Repeat([]byte{1, 2, 3, 0}, 50)...), Binary},
		{"environ", []byte("PATH=/bin\x00HOME=/root\x00PASSWORD=hunter2\x00"), UTF8},
		{"padded log", append([]byte(latin), make([]byte, 4096)...), UTF8},
		{"log after a crash", append(bytes.Repeat([]byte(latin), 10), append(make([]byte, 8), latin...)...), UTF8},
		{"zeros", make([]byte, 1000), Binary},
		{"ansi", []byte("\x1b[31mred\x1b[0m text\n"), UTF8},
		{"random", random(2000), Binary},
	}
	for _, c := range cases {
		if got := Detect(c.in); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func random(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func roundTrip(t *testing.T, kind Kind, in []byte, wrap func(io.Reader) io.Reader, piece int) {
	t.Helper()
	text, err := io.ReadAll(NewReader(wrap(bytes.NewReader(in)), kind))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := NewWriter(&out, kind)
	for i := 0; i < len(text); i += piece {
		if n, err := w.Write(text[i:min(i+piece, len(text))]); err != nil || n == 0 {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), in) {
		t.Fatalf("%v in pieces of %d: %x came back as %x by %x", kind, piece, in, out.Bytes(), text)
	}
}

func TestRoundTripOfAnything(t *testing.T) {
	inputs := [][]byte{
		nil, {0}, {1, 2, 3}, {0x00, 0xd8}, {0x00, 0xdc, 0x00, 0xd8}, {0x3d, 0xd8, 0x00, 0xde, 0x41},
		{0xff, 0xff, 0xff, 0xff, 0x41}, random(999), random(40001),
		wide(UTF16LE, "text \U0001F511 ключ"), wide(UTF16BE, "text \U0001F511"), wide(UTF32LE, "\U0001F511x"),
	}
	for _, kind := range []Kind{UTF8, UTF16LE, UTF16BE, UTF32LE, UTF32BE, Binary} {
		for _, in := range inputs {
			for _, piece := range []int{1, 2, 3, 5, 4096, 1 << 20} {
				roundTrip(t, kind, in, iotest.HalfReader, piece)
			}
			roundTrip(t, kind, in, iotest.OneByteReader, 7)
			roundTrip(t, kind, in, iotest.DataErrReader, 7)
		}
	}
}

func TestReaderGivesUTF8(t *testing.T) {
	want := "key=\U0001F511, ключ, caf\u00e9"
	u := utf16.Encode([]rune(want))
	var b []byte
	for _, c := range u {
		b = append(b, byte(c), byte(c>>8))
	}
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader} {
		got, err := io.ReadAll(NewReader(wrap(bytes.NewReader(b)), UTF16LE))
		if err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestReaderPassesErrors(t *testing.T) {
	r := NewReader(iotest.TimeoutReader(bytes.NewReader(wide(UTF16LE, strings.Repeat("x", 100000)))), UTF16LE)
	if _, err := io.ReadAll(r); err != iotest.ErrTimeout {
		t.Errorf("err = %v", err)
	}
	w := NewWriter(failing{}, UTF16LE)
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("error of the writer lost")
	}
	if w.Close() == nil {
		t.Error("error of the writer forgotten")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestView(t *testing.T) {
	cases := []struct{ in, want string }{
		{"plain text", "plain text"},
		{"gh\x1b[31mp_\x1b[0mabc", "ghp_abc"},
		{"pass\u200bword=hun\u00adter2", "password=hunter2"},
		{"p\bpa\bas\bss\bs", "pass"},
		{"_\bs_\be_\bc", "sec"},
		{"\x1b]0;title\x07shown", "shown"},
		{"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
		{"a\x00b\x01c", "abc"},
		{"\x1b(Btext\x1b=", "text"},
		{"line\r\nnext\ttab", "line\r\nnext\ttab"},
		{"\x1b", ""},
		{"\x1b[", ""},
		{"\x1b[12", "12"},
		{"\ufeffstart", "start"},
		{"no \b\bend", "end"[0:0] + "nend"},
	}
	var v View
	for _, c := range cases {
		dropped := v.Build([]byte(c.in))
		if string(v.Text) != c.want {
			t.Errorf("%q shows as %q, want %q", c.in, v.Text, c.want)
		}
		if dropped != (c.in != c.want) {
			t.Errorf("%q: Build = %v", c.in, dropped)
		}
		if dropped && !Invisible([]byte(c.in)) {
			t.Errorf("%q: Invisible says no", c.in)
		}
		for i := range v.Text {
			if from, to := v.Span(i, i+1); to != from+1 || c.in[from] != v.Text[i] {
				t.Errorf("%q: byte %d (%q) leads to %d-%d", c.in, i, v.Text[i], from, to)
			}
		}
	}
	v.Build([]byte("x gh\x1b[31mp_\x1b[0mabc y"))
	if from, to := v.Span(2, 9); from != 2 || to != 18 {
		t.Errorf("span is %d-%d", from, to)
	}
}

func TestUnescape(t *testing.T) {
	cases := []struct{ in, want string }{
		{"plain", "plain"},
		{"%70assword", "password"},
		{`\u0070assword`, "password"},
		{"p&#97;ss&#x77;ord", "password"},
		{"a&amp;b&lt;&quot;", `a&b<"`},
		{`\"x\/\n`, "\"x/\n"},
		{"100%", "100%"}, {"%zz", "%zz"}, {`\`, `\`}, {`\u12`, `\u12`}, {"&nope;", "&nope;"}, {"&;", "&;"}, {"&#;", "&#;"}, {"&#x;", "&#x;"},
		{`\ud83d\udd11`, "\U0001F511"},
		{"%C3%A9", "é"},
	}
	for _, c := range cases {
		if got := string(AppendUnescaped(nil, []byte(c.in))); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.in, got, c.want)
		}
		if c.in != c.want && !Escaped([]byte(c.in)) {
			t.Errorf("Escaped(%q) = false", c.in)
		}
	}
	if got := string(AppendPercent(nil, []byte("a%20b&amp;%"))); got != "a b&amp;%" {
		t.Errorf("percent: %q", got)
	}
	if got := string(AppendJSON(nil, []byte(`a\tb%20&amp;`))); got != "a\tb%20&amp;" {
		t.Errorf("json: %q", got)
	}
	if got := string(AppendXML(nil, []byte(`a\tb%20&amp;`))); got != `a\tb%20&` {
		t.Errorf("xml: %q", got)
	}
}

func FuzzTranscode(f *testing.F) {
	f.Add([]byte("h\x00e\x00"), byte(UTF16LE), byte(1))
	f.Add([]byte{0x3d, 0xd8, 0x00, 0xde, 0x41}, byte(UTF16LE), byte(3))
	f.Fuzz(func(t *testing.T, in []byte, kind, piece byte) {
		roundTrip(t, Kind(kind%6), in, iotest.HalfReader, 1+int(piece))
		Detect(in)
	})
}

func FuzzView(f *testing.F) {
	f.Add([]byte("gh\x1b[31mp_\x1b[0mab\bc\u200bd"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var v View
		dropped := v.Build(in)
		if dropped && !Invisible(in) {
			t.Fatalf("%q: Invisible says no", in)
		}
		prev := -1
		for i := range v.Text {
			from, to := v.Span(i, i+1)
			if from <= prev || to != from+1 || in[from] != v.Text[i] {
				t.Fatalf("%q: byte %d of %q leads to %d", in, i, v.Text, from)
			}
			prev = from
		}
		AppendUnescaped(nil, in)
		AppendJSON(nil, in)
		AppendXML(nil, in)
	})
}

func BenchmarkReader(b *testing.B) {
	in := wide(UTF16LE, strings.Repeat("2024-01-01 12:00:00 INFO some line of a log\r\n", 20000))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		w := NewWriter(io.Discard, UTF16LE)
		if _, err := io.Copy(w, NewReader(bytes.NewReader(in), UTF16LE)); err != nil {
			b.Fatal(err)
		}
		w.Close()
	}
}

func BenchmarkInvisible(b *testing.B) {
	in := bytes.Repeat([]byte("2024-01-01 12:00:00 INFO some line of a log\r\n"), 20000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		Invisible(in)
	}
}
