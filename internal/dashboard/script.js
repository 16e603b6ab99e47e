// The dashboard's script: it takes what the server has drawn anew, and moves by
// keys. Every page reads without it.
"use strict";

const byID = (id) => document.getElementById(id);

// morph makes one element like another and keeps what is equal where it is:
// focus, selection, open details and scroll positions stay.
function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !(name === "value" && from === document.activeElement)) from.setAttribute(name, value);
  }
  const known = new Map();
  for (const child of from.children) if (child.id) known.set(child.id, child);
  let at = from.firstChild;
  for (const child of [...to.childNodes]) {
    const same = child.id ? known.get(child.id) : null;
    if (same) {
      if (same === at) at = at.nextSibling;
      else from.insertBefore(same, at);
      morph(same, child);
    } else if (!child.id && at && !at.id && at.nodeName === child.nodeName) {
      const next = at.nextSibling;
      morph(at, child);
      at = next;
    } else {
      from.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

// The stream. A page that nobody sees does not listen. What others want of it
// they take from the events "plimsoll:EVENT" of the document.
let stream = null;

function listen() {
  stream = new EventSource("/live?at=" + encodeURIComponent(location.pathname + location.search));
  stream.addEventListener("part", (event) => {
    const { id, html } = JSON.parse(event.data);
    const here = byID(id);
    if (here) morph(here, document.adoptNode(parsed(html).body.firstElementChild));
  });
  stream.addEventListener("seen", (event) => {
    const { number, failed } = JSON.parse(event.data);
    if (number !== document.body.dataset.seen || failed) renew(failed);
  });
}

function hush() {
  if (stream) stream.close();
  stream = null;
}

let renewing = false;
let said = "";

// renew draws the page anew, in place, unless somebody is filling in a form.
async function renew(failed) {
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
    byID("said").textContent = failed ? "" : "The fleet was read again.";
    afloat();
  } catch {
    // The server is gone, or busy: the stream comes back when it does.
  } finally {
    renewing = false;
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) hush();
  else if (!stream) listen();
});
addEventListener("pagehide", hush);
addEventListener("pageshow", () => { if (!stream && !document.hidden) listen(); });

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

// The load line: what an image is, by pointer and by keys.
function afloat() {
  const picture = document.querySelector(".loadline-figure .picture");
  const tip = byID("tip");
  if (!picture || !tip || picture.dataset.afloat) return;
  picture.dataset.afloat = "yes";
  const planks = [...picture.querySelectorAll("rect")].filter((r) => r.querySelector("title"));
  let at = -1;
  const show = (plank) => {
    for (const p of planks) p.classList.toggle("at", p === plank);
    for (const row of document.querySelectorAll("tr.here")) row.classList.remove("here");
    if (!plank) return;
    at = planks.indexOf(plank);
    const text = plank.querySelector("title").textContent;
    tip.textContent = text;
    const digest = /sha256:([0-9a-f]{12})/.exec(text);
    if (digest) document.querySelector(`tr[data-digest="${digest[1]}"]`)?.classList.add("here");
  };
  picture.addEventListener("pointerover", (event) => {
    const plank = event.target.closest("rect");
    if (planks.includes(plank)) show(plank);
  });
  picture.addEventListener("pointerleave", () => show(null));
  picture.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || !planks.length) return;
    event.preventDefault();
    show(planks[Math.min(Math.max(at + by, 0), planks.length - 1)]);
  });
}

afloat();
if (!document.hidden && !stream) listen();
document.documentElement.dataset.keys = "ready";
