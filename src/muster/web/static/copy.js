/* Buttons with `data-copy` put the value of the field they name on the clipboard; without scripts they are not there. */

async function copy(event) {
  const button = event.currentTarget;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
  const said = document.getElementById(`${button.dataset.copy}-copied`);
  said.hidden = false;
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  // Browsers have no clipboard for pages over plain HTTP from elsewhere.
  if (navigator.clipboard) {
    button.hidden = false;
    button.addEventListener("click", copy);
  }
}
