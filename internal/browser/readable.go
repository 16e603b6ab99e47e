package browser

import (
	"encoding/json"
	"os"
	"strings"
)

// Faults are what keeps the page from being read: texts whose contrast is below
// WCAG AA's 4.5, and what is wider than the window.
func (b *Tab) Faults() []string {
	b.t.Helper()
	var out []string
	for _, low := range Ask[[]string](b, contrastScript) {
		out = append(out, "contrast below 4.5: "+low)
	}
	for _, wide := range Ask[[]string](b, widthScript) {
		out = append(out, "wider than the window: "+wide)
	}
	return out
}

// Dead are links inside the page that lead to nothing, and ids that occur twice.
func (b *Tab) Dead() []string {
	b.t.Helper()
	return Ask[[]string](b, `[
  ...[...document.querySelectorAll("a[href^='#']")].map((a) => a.getAttribute("href")).filter((h) => !document.getElementById(h.slice(1))).map((h) => "link to nothing: " + h),
  ...[...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i).map((id) => "id twice: " + id)]`)
}

// Axe loads axe-core (of the npm package axe-core, a file that PLIMSOLL_AXE
// names) and lists what breaks WCAG 2.2's A and AA in the page. Without it, which CI
// does not let pass, the other checks of a test go on.
func (b *Tab) Axe() []string {
	b.t.Helper()
	source, err := os.ReadFile(os.Getenv("PLIMSOLL_AXE"))
	if err != nil && os.Getenv("CI") == "true" {
		b.t.Fatalf("CI needs axe-core, in the file that PLIMSOLL_AXE names: %v", err)
	}
	if err != nil {
		b.t.Logf("not looked at by axe-core, which needs the file that PLIMSOLL_AXE names: %v", err)
		return nil
	}
	b.Run(string(source) + "\n;void 0")
	b.Run(`window.axeSays = null; axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then((r) => {
  window.axeSays = JSON.stringify(r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.failureSummary.replaceAll("\n", " ") + " " + n.html.slice(0, 200))));
}, (e) => { window.axeSays = JSON.stringify(["axe failed: " + e]); }); void 0`)
	b.Await(`window.axeSays !== null`)
	var out []string
	if err := json.NewDecoder(strings.NewReader(Ask[string](b, `window.axeSays`))).Decode(&out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// contrastScript lists the texts whose contrast with what is behind them is
// too low, computed as WCAG 2.2 defines it. What nobody sees, or cannot use now,
// does not count.
const contrastScript = `(() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * (top[3] ?? 1) + under[i] * (1 - (top[3] ?? 1)));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(channels(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  document.querySelectorAll(".cell").forEach((c) => { c.style.transition = "none"; });
  const low = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || element.closest(".skip, .unseen, noscript, fieldset:disabled, svg") || !element.getClientRects().length) continue;
    const back = behind(element), front = over(channels(getComputedStyle(element).color), back);
    const [x, y] = [luminance(front), luminance(back)].sort((m, n) => n - m);
    const ratio = (x + 0.05) / (y + 0.05);
    if (ratio < 4.5) low.add(ratio.toFixed(2) + " " + element.tagName + "." + element.className + " " + text.slice(0, 30));
  }
  return [...low];
})()`

// widthScript lists what makes the page scroll sideways.
const widthScript = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1)
    .map((e) => e.tagName + "." + e.className + " " + Math.round(e.getBoundingClientRect().right));
})()`
