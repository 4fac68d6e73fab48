// Where an answer does not come, the region says that it is out of date, and can be asked for again (D-41). What was
// typed stays; it is sent by itself as soon as there is an answer again.
const note = document.getElementById("stale");
// "online" is said before names are resolved and proxies reached, and a restart of Muster says nothing: so it is asked
// again from time to time, more and more seldom (milliseconds).
const FIRST_PAUSE = 2000;
const LAST_PAUSE = 30000;
let asked = null;
let pause = FIRST_PAUSE;
let waiting = 0;

// What a proxy says in Muster's place is no answer.
function isAnswer(ctx) {
  return ctx.response && ctx.response.status < 500;
}

function told(event) {
  const { ctx } = event.detail ?? {};
  if (!note || !ctx || isAnswer(ctx)) {
    return;
  }
  asked = ctx.sourceElement;
  asked.setAttribute("data-stale", "");
  note.hidden = false;
  clearTimeout(waiting);
  waiting = setTimeout(askAgain, pause);
  pause = Math.min(2 * pause, LAST_PAUSE);
}

function answered(event) {
  if (!asked || !isAnswer(event.detail?.ctx ?? {})) {
    return;
  }
  asked.removeAttribute("data-stale");
  asked = null;
  note.hidden = true;
  clearTimeout(waiting);
  pause = FIRST_PAUSE;
}

function askAgain() {
  asked?.dispatchEvent(new Event("retry"));
}

document.addEventListener("htmx:error", told);
document.addEventListener("htmx:response:error", told);
document.addEventListener("htmx:after:swap", answered);
note?.querySelector("button").addEventListener("click", askAgain);
window.addEventListener("online", askAgain);
