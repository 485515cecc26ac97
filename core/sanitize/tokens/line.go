package tokens

// Line reports every token in buf[from:to], which should be a line or another
// stretch that no token crosses, in order.
func Line(buf []byte, from, to int, emit func(start, end int, rule string)) {
	for p := from; p < to; {
		start, end, ok := Next(buf[:to], p)
		if !ok {
			return
		}
		p = end
		for start < end {
			m, ok := Find(buf[:to], start, end)
			if !ok {
				break
			}
			emit(m.Start, m.End, m.Rule)
			start = max(m.End, start+1)
		}
		p = max(p, start)
	}
}
