// Boards: what a use case tells, kept fresh, with its newest line for those who
// listen. When a rollout is over, the event "rest" bubbles up from its board.
for (const board of document.querySelectorAll(".board[data-stream]")) {
  const newest = board.querySelector("[data-newest]");
  let moving = board.querySelector(".crew.old") !== null;
  listening(board.dataset.stream, {
    open: () => { board.dataset.live = "yes"; },
    error: () => { board.dataset.live = "no"; },
    part: (event) => {
      const moves = board.querySelector(".crew.old") !== null;
      if (moving && !moves) board.dispatchEvent(new Event("rest", { bubbles: true }));
      moving = moves;
      const says = byID(JSON.parse(event.data).id)?.dataset.newest;
      if (says && newest.textContent !== says) newest.textContent = says;
    },
    end: () => {
      board.dataset.live = "over";
      for (const e of document.querySelectorAll("[data-until-over]")) e.remove();
    },
  });
}
