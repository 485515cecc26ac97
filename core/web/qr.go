package web

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// drawQR is a QR code as a picture that is part of the page; empty for what does
// not fit into one.
func drawQR(text string) template.HTML {
	c, err := qr.Encode(text, qr.L)
	if err != nil {
		return ""
	}
	const margin = 4
	var path strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			if !c.Black(x, y) {
				continue
			}
			from := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+margin, y+margin, x-from, x-from)
		}
	}
	size := c.Size + 2*margin
	// Nothing of the text itself gets into the markup.
	return template.HTML(fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" role="img" aria-label="QR code" shape-rendering="crispEdges"><rect width="%d" height="%d" fill="#fff"/><path d="%s" fill="#000"/></svg>`,
		size, size, size, size, path.String()))
}
