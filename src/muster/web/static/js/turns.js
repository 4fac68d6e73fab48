// A form that follows every change asks again before it is answered, and its newest question replaces the one before
// (G-14, D-20). Questions come by several connections and overtake each other on their way: each says which it is.
const FOLLOWING = 'form[hx-sync="this:replace"]';
let turn = 0;
// What a button asked for is nowhere but in its question, which nothing may replace. What is changed meanwhile is sent
// after its answer. So is what a button outside of the form asks for; those inside may mean other rows by then.
let deed = null;
let later = null;

function asks(event) {
  const { ctx } = event.detail;
  const form = ctx.sourceElement;
  if (!form.matches(FOLLOWING)) {
    return;
  }
  const button = ctx.sourceEvent.submitter;
  if (deed) {
    event.preventDefault();
    if (!button || !form.contains(button)) {
      later = button ?? later ?? form;
    }
    return;
  }
  turn += 1;
  ctx.request.headers["Muster-Turn"] = String(turn);
  deed = button ? ctx : null;
}

function answered(event) {
  const { ctx } = event.detail;
  if (ctx !== deed) {
    return;
  }
  const next = later;
  deed = null;
  later = null;
  // Where no answer came the page asks again by itself; where it led elsewhere, there is nothing to ask any more.
  if (next && ctx.status === "swapped" && !ctx.hx.redirect) {
    next === ctx.sourceElement ? next.dispatchEvent(new Event("retry")) : ctx.sourceElement.requestSubmit(next);
  }
}

document.addEventListener("htmx:config:request", asks);
document.addEventListener("htmx:finally:request", answered);
