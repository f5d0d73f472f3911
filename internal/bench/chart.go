package main

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The chart brings its own background, so it reads the same on light and dark pages.
const (
	chartWidth = 960
	rowHeight  = 24
	dotsTop    = 96
	dotsLeft   = 330
	dotsRight  = 890
	linesHigh  = 430
	linesLeft  = 60
	linesRight = 590
)

const chartStyle = `text{font-family:system-ui,sans-serif;font-size:13px;fill:#24292f}` +
	`.title{font-size:16px;font-weight:600}.note,.tick{fill:#57606a}.tick{font-size:12px}` +
	`.grid{stroke:#d8dee4}.one{stroke:#57606a;stroke-dasharray:4 3}.ours{font-weight:600;fill:#0550ae}`

// colors are those of the lines; what is not named is grey.
var colors = map[string]string{
	readOnly: "#54a0f0", "keep": "#0969da", edited: "#0a3069",
	sed: "#bc4c00", "xmlstarlet": "#8250df", "unmarshal": "#2da44e", remarshal: "#116329", python: "#bf3989",
}

func color(c contestant) string { return cmp.Or(colors[c.key], "#6e7781") }

// scale maps values to places by their logarithms.
type scale struct{ min, max, from, to float64 }

// around is a scale of whole steps 1, 2, 5, 10 … around the values.
func around(values []float64, from, to float64) scale {
	low, high := slices.Min(values), slices.Max(values)
	s := scale{from: from, to: to}
	for _, t := range steps(low/10, high*10) {
		if t <= low {
			s.min = t
		}
		if t >= high && s.max == 0 {
			s.max = t
		}
	}
	return s
}

func (s scale) at(v float64) float64 {
	return s.from + (s.to-s.from)*math.Log(v/s.min)/math.Log(s.max/s.min)
}

func (s scale) ticks() []float64 { return steps(s.min, s.max) }

// steps are 1, 2 and 5 times the powers of ten, from min to max.
func steps(min, max float64) []float64 {
	var ts []float64
	for e := math.Floor(math.Log10(min)); math.Pow(10, e) <= max; e++ {
		for _, m := range []float64{1, 2, 5} {
			if t := m * math.Pow(10, e); t >= min*(1-1e-9) && t <= max*(1+1e-9) {
				ts = append(ts, t)
			}
		}
	}
	return ts
}

// chart is an SVG of two parts: all contestants with a usual guest, and how those
// grow that read it.
func chart(r *results) string {
	linesTop := dotsTop + rowHeight*len(r.contestants) + 120
	height := linesTop + linesHigh + 50
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`+"\n", chartWidth, height)
	fmt.Fprintf(&b, "<title id=\"title\">What a hook costs, with bare Go as the unit</title>\n<desc id=\"desc\">%s</desc>\n", escape(description(r)))
	fmt.Fprintf(&b, "<style>%s</style>\n", chartStyle)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="#ffffff" stroke="#d8dee4"/>`+"\n", chartWidth, height)
	drawDots(&b, r)
	drawLines(&b, r, float64(linesTop))
	b.WriteString("</svg>\n")
	return b.String()
}

// description is for those who do not see the chart.
func description(r *results) string {
	var said []string
	for _, c := range byRatio(r, usualSize) {
		said = append(said, c.name()+" "+number3(r.ratio(usualSize, c.key).mid))
	}
	return "Times of whole processes with a guest of 7 KB as multiples of a Go program that does nothing: " + strings.Join(said, "; ") +
		". Below it, how they grow with guests up to 1 MB. The numbers are in the tables of speed.md."
}

func byRatio(r *results, size string) []contestant {
	return slices.SortedStableFunc(slices.Values(r.contestants), func(a, b contestant) int {
		return cmp.Compare(r.ratio(size, a.key).mid, r.ratio(size, b.key).mid)
	})
}

func drawDots(b *strings.Builder, r *results) {
	text(b, 24, 34, "title", "start", "A usual guest: 7 KB of XML")
	text(b, 24, 54, "note", "start", "Whole process as a multiple of a Go program that does nothing; median and quartiles, logarithmic")
	rows := byRatio(r, usualSize)
	var values []float64
	for _, c := range rows {
		s := r.ratio(usualSize, c.key)
		values = append(values, s.low, s.high)
	}
	x := around(values, dotsLeft, dotsRight)
	bottom := float64(dotsTop + rowHeight*len(rows))
	for _, t := range x.ticks() {
		line(b, x.at(t), dotsTop-10, x.at(t), bottom, gridClass(t), "")
		text(b, x.at(t), bottom+18, "tick", "middle", number(t)+" ×")
	}
	for i, c := range rows {
		y, s, class := float64(dotsTop+rowHeight*i)+8, r.ratio(usualSize, c.key), ""
		fill := "#6e7781"
		if c.ours() {
			class, fill = "ours", "#0969da"
		}
		text(b, dotsLeft-14, y+4, class, "end", c.name())
		line(b, x.at(s.low), y, x.at(s.high), y, "", fill)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="5" fill="%s"/>`+"\n", x.at(s.mid), y, fill)
		text(b, max(x.at(s.high), x.at(s.mid)+5)+7, y+4, class, "start", number3(s.mid))
	}
}

// gridClass makes the line at 1 stand out, which is bare Go.
func gridClass(t float64) string {
	if t == 1 {
		return "one"
	}
	return "grid"
}

func drawLines(b *strings.Builder, r *results, top float64) {
	text(b, 24, top-44, "title", "start", "How it grows with the guest")
	text(b, 24, top-24, "note", "start", "The same, for guests of 2.7 KB to 1 MB; both axes logarithmic")
	var rows []contestant
	var values, kilobytes []float64
	for _, d := range r.docs {
		kilobytes = append(kilobytes, d.kilobytes())
	}
	for _, c := range r.contestants {
		if c.reads {
			rows = append(rows, c)
			for _, d := range r.docs {
				values = append(values, r.ratio(d.size, c.key).mid)
			}
		}
	}
	bottom := top + linesHigh
	x := scale{kilobytes[0], kilobytes[len(kilobytes)-1], linesLeft, linesRight}
	y := around(append(values, 1), bottom, top)
	for _, t := range y.ticks() {
		line(b, linesLeft, y.at(t), linesRight, y.at(t), gridClass(t), "")
		text(b, linesLeft-8, y.at(t)+4, "tick", "end", number(t)+" ×")
	}
	for i, d := range r.docs {
		text(b, x.at(kilobytes[i]), bottom+20, "tick", "middle", d.size)
	}
	ends := make([]float64, len(rows))
	for i, c := range rows {
		var points []string
		for j, d := range r.docs {
			ends[i] = y.at(r.ratio(d.size, c.key).mid)
			points = append(points, fmt.Sprintf("%.1f,%.1f", x.at(kilobytes[j]), ends[i]))
		}
		width := 1.8
		if c.ours() {
			width = 3
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%.1f"/>`+"\n", strings.Join(points, " "), color(c), width)
	}
	for i, at := range apart(ends, 18) {
		c := rows[i]
		line(b, linesRight+3, ends[i], linesRight+16, at, "", color(c))
		label := c.name() + " " + number3(r.ratio(hugeSize, c.key).mid)
		fmt.Fprintf(b, `<text x="%d" y="%.1f" style="fill:%s%s">%s</text>`+"\n", linesRight+20, at+4, color(c), weight(c), escape(label))
	}
}

func weight(c contestant) string {
	if c.ours() {
		return ";font-weight:600"
	}
	return ""
}

// apart moves places so far that they are at least gap apart, in the same order.
func apart(places []float64, gap float64) []float64 {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(places[a], places[b]) })
	// Those that touch stand as a block around the mean of their places.
	type block struct {
		sum   float64
		count int
	}
	first := func(b block) float64 { return b.sum/float64(b.count) - gap*float64(b.count-1)/2 }
	var blocks []block
	for _, i := range order {
		next := block{places[i], 1}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if first(last)+gap*float64(last.count) <= first(next) {
				break
			}
			next = block{last.sum + next.sum, last.count + next.count}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, next)
	}
	moved, i := make([]float64, len(places)), 0
	for _, b := range blocks {
		for j := range b.count {
			moved[order[i]] = first(b) + gap*float64(j)
			i++
		}
	}
	return moved
}

func text(b *strings.Builder, x, y float64, class, anchor, s string) {
	if class != "" {
		class = fmt.Sprintf(` class="%s"`, class)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f"%s text-anchor="%s">%s</text>`+"\n", x, y, class, anchor, escape(s))
}

// line has a class or a color.
func line(b *strings.Builder, x1, y1, x2, y2 float64, class, stroke string) {
	look := fmt.Sprintf(`class="%s"`, class)
	if class == "" {
		look = fmt.Sprintf(`stroke="%s" stroke-width="2"`, stroke)
	}
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`+"\n", x1, y1, x2, y2, look)
}

func number(v float64) string { return fmt.Sprintf("%g", math.Round(v*100)/100) }

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
