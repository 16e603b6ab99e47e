// Keeps boards fresh: puts the parts that the server has drawn anew in place.
"use strict";

for (const board of document.querySelectorAll(".board[data-stream]")) {
  let stream = null, over = false;
  const newest = board.querySelector("[data-newest]");

  const put = (event) => {
    const { id, html } = JSON.parse(event.data);
    const old = document.getElementById(id);
    const fresh = document.adoptNode(new DOMParser().parseFromString(html, "text/html").body.firstElementChild);
    if (!old || old.outerHTML === fresh.outerHTML) return;
    const focused = old.contains(document.activeElement) ? [...old.querySelectorAll("a, [tabindex]")].indexOf(document.activeElement) : -1;
    old.replaceWith(fresh);
    if (focused >= 0) [...fresh.querySelectorAll("a, [tabindex]")][focused]?.focus();
    if (fresh.dataset.newest && newest.textContent !== fresh.dataset.newest) newest.textContent = fresh.dataset.newest;
  };
  const hush = () => {
    stream?.close();
    stream = null;
  };
  const listen = () => {
    if (over || stream || document.hidden) return;
    stream = new EventSource(board.dataset.stream);
    stream.addEventListener("open", () => { board.dataset.live = "yes"; });
    stream.addEventListener("error", () => { board.dataset.live = "no"; });
    stream.addEventListener("part", put);
    stream.addEventListener("end", () => {
      over = true;
      board.dataset.live = "over";
      hush();
      for (const e of document.querySelectorAll("[data-until-over]")) e.remove();
    });
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  addEventListener("pagehide", hush);
  addEventListener("pageshow", listen);
  listen();
}
