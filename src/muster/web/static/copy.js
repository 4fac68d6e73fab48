/* Buttons with `data-copy` put the value or the text of what they name on the clipboard; without scripts they are not
   there, and a field that is clicked or tabbed to is selected by the browser or by hand. */

// Browsers have no clipboard for pages over plain HTTP from elsewhere; what is selected they still copy.
function copySelected(from) {
  const focused = document.activeElement;
  if (from.select) {
    from.select();
  } else {
    getSelection().selectAllChildren(from);
  }
  const done = document.execCommand("copy");
  focused.focus();
  return done;
}

async function copy(event) {
  const button = event.currentTarget;
  const from = document.getElementById(button.dataset.copy);
  let done = true;
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(from.value ?? from.textContent);
  } else {
    done = copySelected(from);
  }
  document.getElementById(`${button.dataset.copy}-copied`).hidden = !done;
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", copy);
}

for (const field of document.querySelectorAll("input[readonly]")) {
  field.addEventListener("focus", () => field.select());
}
