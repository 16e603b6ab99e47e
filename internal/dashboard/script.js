// The dashboard: what was read anew is shown without loading the page again, and
// keys move through it. Every page reads without this.
let renewing = false;
let said = "";

// renew draws the page anew, in place, unless somebody is filling in a form, and
// says why to those who listen.
async function renew(failed, why) {
  if (renewing || failed && said === failed) return;
  const form = document.activeElement?.closest("main form");
  if (form && form.method === "post") return;
  renewing = true;
  said = failed;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = parsed(await answer.text());
    document.body.dataset.seen = page.body.dataset.seen;
    for (const part of ["header", "main", "footer"]) {
      morph(document.querySelector("body > " + part), document.adoptNode(page.querySelector("body > " + part)));
    }
    document.title = page.title;
    byID("said").textContent = failed ? "" : why;
    afloat();
  } catch {
    // The server is gone, or busy: the stream comes back when it does.
  } finally {
    renewing = false;
  }
}

// What stands beside a board is of the time before its rollout was over.
document.addEventListener("rest", () => renew("", "The rollout is over."));

// Lists by keys.
const rows = () => [...document.querySelectorAll("main .row")];
const entry = (row) => row.querySelector("th a, h3 a, .what a, a, summary");

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("here"));
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  for (const row of all) row.classList.remove("here");
  next.classList.add("here");
  const link = entry(next);
  if (link) link.focus({ preventScroll: true });
  else {
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }
  next.scrollIntoView({ block: "nearest" });
}

const parts = { f: "/", r: "/repositories", m: "/maintenance", i: "/findings" };
let going = false; // g was pressed: the next key says where to

const follow = (selector) => document.querySelector(selector)?.click();

const acts = {
  "/": () => document.querySelector(".search input[type=search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  n: () => follow(".pager a[rel=next]"),
  p: () => follow(".pager a[rel=prev]"),
  u: () => follow(".crumbs a:last-of-type"),
  g: () => { going = true; },
  "?": () => byID("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const writing = event.target.closest("input, textarea, select, [contenteditable]");
  if (writing) {
    if (event.key === "Escape") writing.blur();
    return;
  }
  if (byID("help").open) return;
  const to = going && parts[event.key];
  if (to) {
    event.preventDefault();
    location.assign(to);
    return;
  }
  going = false;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// The load line: what an image is, by pointer and by keys. The picture may be
// drawn anew at any time, so its planks are looked for when they are needed.
const afloats = new WeakSet();

function afloat() {
  const picture = document.querySelector(".loadline-figure .picture");
  if (!picture) return;
  picture.dataset.afloat = "yes";
  if (afloats.has(picture)) return;
  afloats.add(picture);
  const planks = () => [...picture.querySelectorAll("rect")].filter((r) => r.querySelector("title"));
  const show = (plank) => {
    for (const p of planks()) p.classList.toggle("at", p === plank);
    for (const row of document.querySelectorAll("tr.here")) row.classList.remove("here");
    if (!plank) return;
    const text = plank.querySelector("title").textContent;
    byID("tip").textContent = text;
    const digest = /sha256:([0-9a-f]{12})/.exec(text);
    if (digest) document.querySelector(`tr[data-digest="${digest[1]}"]`)?.classList.add("here");
  };
  picture.addEventListener("pointerover", (event) => {
    const plank = event.target.closest("rect");
    if (planks().includes(plank)) show(plank);
  });
  picture.addEventListener("pointerleave", () => show(null));
  picture.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = planks();
    if (!by || !all.length) return;
    event.preventDefault();
    const at = all.findIndex((p) => p.classList.contains("at"));
    show(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
  });
}

afloat();
listening("/live?at=" + encodeURIComponent(location.pathname + location.search), {
  seen: (event) => {
    const { number, failed } = JSON.parse(event.data);
    if (number !== document.body.dataset.seen || failed) renew(failed, "The fleet was read again.");
  },
});
document.documentElement.dataset.keys = "ready";
