// Where an answer does not come, the region says that it is out of date, and can be asked for again (D-41). What was
// typed stays; as soon as there is a network again it is sent by itself.
const note = document.getElementById("stale");
let asked = null;

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
}

function answered(event) {
  if (!asked || !isAnswer(event.detail?.ctx ?? {})) {
    return;
  }
  asked.removeAttribute("data-stale");
  asked = null;
  note.hidden = true;
}

function askAgain() {
  asked?.dispatchEvent(new Event("retry"));
}

document.addEventListener("htmx:error", told);
document.addEventListener("htmx:response:error", told);
document.addEventListener("htmx:after:swap", answered);
note?.querySelector("button").addEventListener("click", askAgain);
window.addEventListener("online", askAgain);
