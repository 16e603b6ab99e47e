// What pages have in common that the server keeps fresh: parts of them are put in
// place as it has drawn them anew. Every page reads without it.
"use strict";

const byID = (id) => document.getElementById(id);
const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

// morph makes one element like another and keeps what is equal where it is:
// focus, selection, open details, scroll positions and what is being typed stay.
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

// listening opens a stream for as long as somebody sees the page, and puts the
// parts in place that it sends. What else is to be done at an event, `on` has by
// its name; at the event "end" it is over for good.
function listening(address, on = {}) {
  let stream = null, over = false;
  const hush = () => {
    stream?.close();
    stream = null;
  };
  const listen = () => {
    if (over || stream || document.hidden) return;
    stream = new EventSource(address);
    stream.addEventListener("part", (event) => {
      const { id, html } = JSON.parse(event.data);
      const here = byID(id);
      if (here) morph(here, document.adoptNode(parsed(html).body.firstElementChild));
    });
    stream.addEventListener("end", () => {
      over = true;
      hush();
    });
    for (const [name, act] of Object.entries(on)) stream.addEventListener(name, act);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  addEventListener("pagehide", hush);
  addEventListener("pageshow", listen);
  listen();
}
