// The page of drydock: moves the time between two things that the server says, and
// asks the control API to advance.
const here = "/_drydock/";

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
listening(here + "page/live" + location.search, {
  open: () => { byID("link").textContent = "live"; },
  error: () => { byID("link").textContent = "not connected, trying again"; },
  clock: (event) => {
    const news = JSON.parse(event.data);
    clock.said = news.now;
    clock.heard = performance.now();
    byID("ahead").textContent = news.ahead;
    byID("pace").textContent = String(news.scale);
    tick();
  },
});
