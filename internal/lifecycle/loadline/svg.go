package loadline

import (
	_ "embed"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// style is the look of the picture, for light and dark pages.
//
//go:embed style.css
var style string

// SVG draws the load line as a picture of so many pixels width, 320 to 1600. It
// stands alone or inside a page, follows the page's colour scheme, and tells in
// titles what each image is. It stays under 60 KB however many images there
// are: many are drawn in groups.
func SVG(l Line, width int) string {
	d := newDrawing(&l, width)
	d.head()
	for i := range l.Lanes {
		d.lane(&l.Lanes[i])
	}
	if len(l.Lanes) > 0 {
		d.legend()
	}
	d.y += margin
	return d.document()
}

// Measures of the picture in pixels.
const (
	margin  = 16.0
	gutter  = 52.0 // for the names of the waterlines
	textRow = 18.0
	letter  = 7.4 // the mean width of a letter of 13 pixels, in a wide typeface
)

type drawing struct {
	line   *Line
	width  float64
	y      float64 // as far as it is drawn
	body   strings.Builder
	hull   float64 // width of it
	single bool    // every image has a plank of its own
}

// singleMost is how many images of a repository are drawn one by one.
const singleMost = 150

func newDrawing(l *Line, width int) *drawing {
	d := &drawing{line: l, width: float64(min(max(width, 320), 1600)), y: margin}
	d.hull = min(max(d.width*0.2, 84), 200)
	images := 0
	for i := range l.Lanes {
		images += len(l.Lanes[i].Marks)
	}
	d.single = images <= singleMost
	return d
}

func (d *drawing) document() string {
	const head = `<svg xmlns="http://www.w3.org/2000/svg" class="loadline" role="img" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" font-size="13">` +
		"\n<title>%[3]s</title>\n<desc>%[4]s</desc>\n<style>\n%[5]s</style>\n"
	sheet := fmt.Sprintf(`<rect class="page" width="%s" height="%s"/>`, px(d.width), px(d.y))
	return fmt.Sprintf(head, px(d.width), px(d.y),
		escape("Load line of "+d.line.Repository), escape(d.line.description()), style) + sheet + "\n" + d.body.String() + "</svg>\n"
}

// description is the picture in words, as far as it matters.
func (l *Line) description() string {
	const most = 20
	parts := []string{l.summary()}
	for i := range l.Lanes {
		for k := range l.Lanes[i].Marks {
			m := &l.Lanes[i].Marks[k]
			if len(m.InUse) > 0 && (m.State >= Threatened || m.Archived) && len(parts) <= most {
				parts = append(parts, fmt.Sprintf("%s, in use by %s: %s", m.name(), m.users(), m.fate(l)))
			}
		}
	}
	return strings.Join(parts, ". ") + "."
}

// escape makes text of others harmless in XML.
func escape(s string) string { return html.EscapeString(clean(s)) }

// px is a length, to a tenth of a pixel.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

func (d *drawing) add(format string, args ...any) {
	fmt.Fprintf(&d.body, format, args...)
	d.body.WriteByte('\n')
}

// text writes lines of a class, wrapped to the width of the picture.
func (d *drawing) text(class, s string, size, step float64) {
	columns := int((d.width - 2*margin) / (letter * size / 13))
	for _, line := range wrap(clean(s), columns) {
		d.y += step
		d.add(`<text class="%s" x="%s" y="%s" font-size="%s">%s</text>`, class, px(margin), px(d.y), px(size), escape(line))
	}
}

func (d *drawing) head() {
	d.text("strong", d.line.Repository, 18, 16)
	d.text("soft", d.line.At.UTC().Format("2 Jan 2006 15:04")+" UTC", 12, textRow)
	class := "ink"
	if _, endangered := d.line.InUse(); endangered > 0 {
		class = "bad"
	}
	d.text(class, d.line.summary(), 13, textRow+2)
}

// legend explains the marks.
func (d *drawing) legend() {
	d.y += 6
	d.text("soft", "Below the blue line goes at the next run. The dashed line is where the water likely is in "+days(d.line.Horizon)+
		", the pale band above it where it may be. Coloured planks are in use.", 12, 17)
}

// scene is where a lane is drawn.
type scene struct {
	top, water, bottom float64
	left               float64 // of the hull
}

// at is the height of a freeboard above the water.
func (s *scene) at(freeboard float64) float64 {
	return s.water - min(max(freeboard, 0), 1)*(s.water-s.top)
}

func (d *drawing) lane(l *Lane) {
	d.y += 16
	d.text("strong", l.name()+" · "+l.does(), 14, textRow)
	d.text("soft", l.about(d.line.Horizon), 12, 17)
	labels := d.labels(l)
	s := d.scene(l, labels)
	if l.Rule != nil {
		d.tide(l, &s)
		d.sea(&s)
	}
	d.body.WriteString(fmt.Sprintf(`<path class="hull" d="M%s %sV%sq0 8 8 8h%sq8 0 8 -8V%s"/>`+"\n",
		px(s.left), px(s.top-10), px(s.bottom-14), px(d.hull-16), px(s.top-10)))
	anchors := d.planks(l, &s)
	if l.Rule != nil {
		d.surface(l, &s)
	}
	d.write(labels, anchors, &s)
	d.y = s.bottom
}

func (d *drawing) scene(l *Lane, labels []label) scene {
	above, under := 112.0, 0
	for i := range l.Marks {
		if l.Marks[i].State == Under {
			under++
		}
	}
	below := 22.0
	switch {
	case l.Rule == nil:
		above, below = 30, 14
	case under > 0:
		below = min(16+float64(under)*d.pitch(l, above), 76)
	}
	if len(l.Marks) == 1 && under == 0 && l.Rule != nil {
		above = 56
	}
	dry, wet := parted(labels)
	above, below = max(above, heightOf(dry)-4), max(below, heightOf(wet)+8)
	top := d.y + 28
	return scene{top: top, water: top + above, bottom: top + above + below, left: margin + gutter}
}

// sea is the water now, from its surface to the ground.
func (d *drawing) sea(s *scene) {
	d.add(`<path class="sea" d="%sV%sH%sz"/>`, d.wave(s.water), px(s.bottom), px(margin))
}

// wave is a path along a surface.
func (d *drawing) wave(y float64) string {
	const length = 24.0
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %s", px(margin), px(y))
	end := d.width - margin
	for x := margin; x < end; x += length {
		l := min(length, end-x)
		fmt.Fprintf(&b, "q%s -3 %s 0t%s 0", px(l/4), px(l/2), px(l/2))
	}
	return b.String()
}

// rise is the freeboards that are lost at the horizon: likely, and at most.
func (l *Lane) rise(horizon time.Duration) (likely, most float64) {
	n := float64(l.Rule.CountNumber)
	if l.Rule.CountType == lifecycle.CountMoreThan {
		return float64(l.Within[1]) / n, float64(l.Within[2]) / n
	}
	lost := horizon.Hours() / 24 / n
	return lost, lost
}

// tide is the water at the horizon.
func (d *drawing) tide(l *Lane, s *scene) {
	likely, most := l.rise(d.line.Horizon)
	band := func(class string, from, to float64) {
		if h := s.at(to) - s.at(from); h > 0.3 { // and a little more, for the waves
			d.add(`<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, px(margin), px(s.at(from)), px(d.width-2*margin), px(h+2))
		}
	}
	band("perhaps", most, likely)
	band("later", likely, 0)
}

// surface draws the waterlines across the hull, with their names.
func (d *drawing) surface(l *Lane, s *scene) {
	if likely, _ := l.rise(d.line.Horizon); s.at(0)-s.at(likely) > 2 {
		y := s.at(likely)
		d.add(`<path class="dash" d="M%s %sH%s"/>`, px(margin), px(y), px(s.left+d.hull+8))
		d.add(`<text class="soft" x="%s" y="%s" font-size="12">+%s</text>`, px(margin), px(y-5), shortDays(d.line))
	}
	d.add(`<path class="line" d="M%s %sH%s"/>`, px(margin), px(s.water), px(s.left+d.hull+8))
	d.add(`<circle class="mark" cx="%s" cy="%s" r="6"/>`, px(s.left-11), px(s.water))
	d.add(`<text class="ink" x="%s" y="%s" font-size="12">now</text>`, px(margin), px(s.water+15))
}

// anchor is where the label of an image begins.
type anchor struct{ x, y float64 }

// planks draws the images in rows by their height, and says where the running
// ones are, by digest.
func (d *drawing) planks(l *Lane, s *scene) map[string]anchor {
	anchors := map[string]anchor{}
	rows, height := d.shelves(l, s)
	largest := 1
	for _, r := range rows {
		largest = max(largest, len(r.marks))
	}
	cell := (d.hull - 12) / float64(largest)
	for _, r := range rows {
		d.plank(l, r, s.left+6, cell, height, anchors)
	}
	return anchors
}

// shelf is the images at one height.
type shelf struct {
	y     float64
	marks []*Mark
}

// shelves parts the images of a lane by their height.
func (d *drawing) shelves(l *Lane, s *scene) ([]shelf, float64) {
	pitch := d.pitch(l, s.water-s.top)
	under := 0
	for i := range l.Marks {
		if l.Marks[i].State == Under {
			under++
		}
	}
	deep := s.bottom - s.water - 8
	byRow := map[int][]*Mark{}
	sunk, low, high := 0, math.MaxInt, math.MinInt
	for i := range l.Marks {
		m := &l.Marks[i]
		y := s.at(m.Freeboard) + pitch/2
		switch {
		case m.State == Under:
			y = s.water + pitch/2 + min(deep, pitch*float64(under))*float64(sunk)/float64(under)
			sunk++
		case y > s.water-pitch/2:
			y = s.water - pitch/2
		}
		n := int(math.Floor((y - s.water) / pitch))
		low, high = min(low, n), max(high, n)
		byRow[n] = append(byRow[n], m)
	}
	var out []shelf
	for n := low; n <= high; n++ {
		if len(byRow[n]) > 0 {
			out = append(out, shelf{s.water + float64(n)*pitch + 0.5, byRow[n]})
		}
	}
	return out, min(pitch-1.5, 8)
}

// pitch is the distance of rows: one for each image that a count rule keeps,
// where there is room.
func (d *drawing) pitch(l *Lane, above float64) float64 {
	const least, most = 6, 12
	if l.Rule == nil || l.Rule.CountType != lifecycle.CountMoreThan {
		return least
	}
	return min(max(least, above/float64(l.Rule.CountNumber)), most)
}

// plank draws a row: those that nobody runs, then those that run.
func (d *drawing) plank(l *Lane, r shelf, x, cell, height float64, anchors map[string]anchor) {
	y := r.y
	draw := func(class string, width float64, title string) {
		d.add(`<rect class="%s" x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>`, class, px(x), px(y), px(max(width-1, 0.6)), px(height), escape(title))
		x += width
	}
	var others, running []*Mark
	for _, m := range r.marks {
		if len(m.InUse) > 0 {
			running = append(running, m)
			continue
		}
		others = append(others, m)
	}
	class := "plank"
	if len(r.marks) > 0 && r.marks[0].State == Under {
		class = "plank sunk"
	}
	if d.single {
		for _, m := range others {
			draw(class, cell, d.title(l, m))
		}
	} else if len(others) > 0 {
		draw(class, cell*float64(len(others)), d.groupTitle(others))
	}
	x = min(x, margin+gutter+d.hull-6-max(cell, 12)*float64(min(len(running), 3)))
	for n, m := range running {
		if n >= 3 { // one plank for all that follow at this height
			x -= max(cell, 12)
		}
		if n < 6 {
			draw("use "+m.class(), max(cell, 12), d.title(l, m))
		}
		anchors[m.Digest] = anchor{x, y + height/2}
	}
}

func (m *Mark) class() string {
	switch {
	case m.Archived, m.State == Under:
		return "bad"
	case m.State >= Threatened:
		return "warn"
	}
	return "good"
}

// title is all about one image.
func (d *drawing) title(l *Lane, m *Mark) string {
	parts := []string{"untagged"}
	if len(m.Tags) > 0 {
		tags := m.Tags[:min(len(m.Tags), 4)]
		parts[0] = cut(strings.Join(tags, ", "), 120)
		if more := len(m.Tags) - len(tags); more > 0 {
			parts[0] += fmt.Sprintf(" and %d more", more)
		}
	}
	parts = append(parts, short(m.Digest), age(m.Since, d.line.At))
	if l.Rule != nil {
		parts = append(parts, fmt.Sprintf("rule %d", l.Rule.Priority))
	}
	if len(m.InUse) > 0 {
		parts = append(parts, "in use by "+m.users())
	}
	return strings.Join(append(parts, m.fate(d.line)), " · ")
}

func (d *drawing) groupTitle(marks []*Mark) string {
	if len(marks) == 1 {
		return marks[0].name() + " · " + age(marks[0].Since, d.line.At) + " · " + marks[0].fate(d.line)
	}
	newest, oldest := marks[0], marks[len(marks)-1]
	return fmt.Sprintf("%s, %s to %s · %s to %s · %s to %s", noun.Count(len(marks), "image"), newest.name(), oldest.name(),
		age(newest.Since, d.line.At), age(oldest.Since, d.line.At), newest.fate(d.line), oldest.fate(d.line))
}

// label is what stands beside a running image.
type label struct {
	mark  *Mark // nil for a last one that counts the rest
	lines []string
	more  int
}

func (l *label) height() float64 { return textRow*float64(len(l.lines)) + 2 }

// labels are of the running images of a lane: the deepest when there are too
// many.
func (d *drawing) labels(l *Lane) []label {
	const most = 10
	var used []*Mark
	for i := range l.Marks {
		if len(l.Marks[i].InUse) > 0 {
			used = append(used, &l.Marks[i])
		}
	}
	more := max(0, len(used)-most)
	columns := int((d.width - 2*margin - gutter - d.hull - 30) / letter)
	var labels []label
	if more > 0 {
		labels = append(labels, label{lines: []string{fmt.Sprintf("%d more in use, above these", more)}, more: more})
	}
	single := true
	for _, m := range used[more:] {
		single = single && width(m.users())+width(m.name())+width(m.fate(d.line))+5 <= columns
	}
	for _, m := range used[more:] {
		fates := wrap(m.fate(d.line), columns)
		first := cut(m.users(), columns)
		if single {
			labels = append(labels, label{mark: m, lines: []string{first}})
			continue
		}
		labels = append(labels, label{mark: m, lines: append([]string{first}, fates...)})
	}
	return labels
}

// write puts the labels beside their images, none over another.
func (d *drawing) write(labels []label, anchors map[string]anchor, s *scene) {
	if len(labels) == 0 {
		return
	}
	x := s.left + d.hull + 22
	columns := int((d.width - margin - x) / letter)
	dry, wet := parted(labels)
	tops := append(places(dry, anchors, s.top-12, s.water-4), places(wet, anchors, s.water+4, s.bottom)...)
	for i, l := range labels {
		y := tops[i] + 13
		if l.mark == nil {
			d.add(`<text class="soft" x="%s" y="%s">%s</text>`, px(x), px(y), escape(l.lines[0]))
			continue
		}
		if a, ok := anchors[l.mark.Digest]; ok {
			d.add(`<path class="lead %s" d="M%s %sH%sL%s %sh4"/>`, l.mark.class(), px(a.x), px(a.y), px(s.left+d.hull+4), px(x-8), px(y-4))
		}
		if len(l.lines) == 1 {
			d.add(`<text class="ink" x="%s" y="%s"><tspan class="strong">%s</tspan><tspan dx="8">%s</tspan><tspan class="%s" dx="8">%s</tspan></text>`,
				px(x), px(y), escape(l.lines[0]), escape(l.mark.name()), l.mark.class(), escape(l.mark.fate(d.line)))
			continue
		}
		name := ""
		if left := columns - width(l.lines[0])*11/10 - 1; left > 6 { // bold is wider
			name = cut(l.mark.name(), left)
		}
		d.add(`<text class="ink" x="%s" y="%s"><tspan class="strong">%s</tspan><tspan dx="8">%s</tspan></text>`, px(x), px(y), escape(l.lines[0]), escape(name))
		for n, line := range l.lines[1:] {
			d.add(`<text class="%s" x="%s" y="%s" font-size="12">%s</text>`, l.mark.class(), px(x), px(y+float64(n+1)*16), escape(line))
		}
	}
}

// parted parts labels of images above and under water.
func parted(labels []label) (dry, wet []label) {
	for i := range labels {
		if m := labels[i].mark; m != nil && m.State == Under {
			return labels[:i], labels[i:]
		}
	}
	return labels, nil
}

func heightOf(labels []label) float64 {
	height := 0.0
	for i := range labels {
		height += labels[i].height()
	}
	return height
}

// places are the tops of labels: each as near to its image as the one above it
// and the room below it allow.
func places(labels []label, anchors map[string]anchor, from, to float64) []float64 {
	tops := make([]float64, len(labels))
	for i := range labels {
		want := from
		if m := labels[i].mark; m != nil {
			want = anchors[m.Digest].y - 9
		}
		tops[i] = max(want, from)
		from = tops[i] + labels[i].height()
	}
	for i := len(labels) - 1; i >= 0; i-- {
		tops[i] = min(tops[i], to-labels[i].height())
		to = tops[i]
	}
	return tops
}

// Bare is [SVG] without its stylesheet, for pages that have [Style] among
// theirs: a strict Content-Security-Policy allows no style inside the page.
func Bare(l Line, width int) string {
	return strings.Replace(SVG(l, width), "<style>\n"+style+"</style>\n", "", 1)
}

// Style is the stylesheet of pictures that were drawn [Bare].
func Style() string { return style }
