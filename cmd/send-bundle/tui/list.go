package tui

// List is where the cursor is in a list that is longer than the screen.
type List struct {
	Cursor int
	Top    int // first line that is shown
}

// Move follows a key in a list of n lines of which height are shown. It
// reports whether the key was one.
func (l *List) Move(k Key, n, height int) bool {
	switch {
	case k.Name == Up || k.Is('k'):
		l.Cursor--
	case k.Name == Down || k.Is('j'):
		l.Cursor++
	case k.Name == PageUp:
		l.Cursor -= height
	case k.Name == PageDown:
		l.Cursor += height
	case k.Name == Home || k.Is('g'):
		l.Cursor = 0
	case k.Name == End || k.Is('G'):
		l.Cursor = n - 1
	default:
		return false
	}
	l.Clamp(n, height)
	return true
}

// Clamp keeps the cursor in the list, and on the screen.
func (l *List) Clamp(n, height int) {
	l.Cursor = max(0, min(l.Cursor, n-1))
	l.Top = min(l.Top, l.Cursor)
	l.Top = max(l.Top, l.Cursor-height+1, 0)
}

// Input is a line of text that is typed at the foot of the screen.
type Input struct {
	Prompt string
	Text   []rune
}

// Type follows a key. done is true when the line is finished, and ok when it
// was not given up.
func (in *Input) Type(k Key) (done, ok bool) {
	switch {
	case k.Name == Enter:
		return true, true
	case k.Name == Escape || k.Name == Interrupt:
		return true, false
	case k.Name == Backspace:
		in.Text = in.Text[:max(0, len(in.Text)-1)]
	case k.Name == "" && len(in.Text) < 500:
		in.Text = append(in.Text, k.Rune)
	}
	return false, false
}

// Line shows it.
func (in *Input) Line() Line { return Line{Text: in.Prompt + string(in.Text) + "_"} }
