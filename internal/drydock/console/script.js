// The page of drydock: takes the parts that the server has drawn anew, moves
// the time between two of them, and asks the control API to advance.
"use strict";

const here = "/_drydock/";
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
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
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

// The time: what the server said last, and what has passed since.
const clock = { said: 0, heard: 0 };
const two = (n) => String(n).padStart(2, "0");
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function written(ms) {
  const t = new Date(ms);
  return `${days[t.getUTCDay()]} ${t.getUTCDate()} ${months[t.getUTCMonth()]} ${t.getUTCFullYear()} ` +
    `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`;
}

function tick() {
  if (!clock.said) return;
  const ms = clock.said + performance.now() - clock.heard;
  const text = written(ms);
  const now = byID("now");
  if (now.textContent !== text) {
    now.textContent = text;
    now.dateTime = new Date(ms).toISOString();
  }
}

// The stream. A page that nobody sees does not listen.
let stream = null;

function listen() {
  stream = new EventSource(here + "page/live" + location.search);
  stream.addEventListener("open", () => { byID("link").textContent = "live"; });
  stream.addEventListener("error", () => { byID("link").textContent = "not connected, trying again"; });
  stream.addEventListener("clock", (event) => {
    const news = JSON.parse(event.data);
    clock.said = news.now;
    clock.heard = performance.now();
    byID("ahead").textContent = news.ahead;
    byID("pace").textContent = String(news.scale);
    tick();
  });
  stream.addEventListener("part", (event) => {
    const { id, html } = JSON.parse(event.data);
    const part = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    morph(byID(id), document.adoptNode(part));
  });
}

function hush() {
  if (stream) stream.close();
  stream = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) hush();
  else if (!stream) listen();
});
addEventListener("pagehide", hush);
addEventListener("pageshow", () => { if (!stream && !document.hidden) listen(); });

// Advancing.
const units = { s: 1, m: 60, h: 3600, d: 86400 };

function seconds(text) {
  const parts = /^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$/.exec(text);
  return parts ? Number(parts[1]) * units[parts[2]] : NaN;
}

async function advance(text) {
  const problem = byID("problem");
  const by = seconds(text);
  if (!(by > 0)) {
    problem.textContent = "How far? For example 90s, 45m, 12h or 14d.";
    return;
  }
  problem.textContent = "";
  const fields = document.querySelector("#advance fieldset");
  const focused = document.activeElement;
  fields.disabled = true;
  try {
    const answer = await fetch(here + "advance", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ seconds: by }),
    });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const { now } = await answer.json();
    byID("said").textContent = "It is now " + written(Date.parse(now)) + " UTC";
  } catch (error) {
    problem.textContent = "Not advanced: " + error.message;
  } finally {
    fields.disabled = false;
    if (focused && fields.contains(focused)) focused.focus();
  }
}

const form = byID("advance");
form.querySelector("fieldset").disabled = false;
for (const button of form.querySelectorAll("button[value]")) {
  button.addEventListener("click", () => advance(button.value));
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  advance(byID("span").value);
});

setInterval(tick, 250);
if (!document.hidden && !stream) listen();
