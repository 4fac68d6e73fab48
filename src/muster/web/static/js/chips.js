// What is chosen or typed where chips are added is one at once, with a field of its own: who chooses two before the
// first is answered sends both (D-20). Its button comes with the answer.
let count = 0;

function added(field) {
  const chip = document.createElement("span");
  chip.className = "chip";
  chip.textContent = field.selectedOptions?.[0].label ?? field.value;
  const kept = document.createElement("input");
  kept.type = "hidden";
  kept.name = `${field.dataset.chip}.${count++}`;
  kept.value = field.value;
  chip.append(kept);
  return chip;
}

// Before htmx sees it, which sends the form.
document.addEventListener(
  "change",
  ({ target }) => {
    if (target.dataset.chip && target.value.trim()) {
      target.before(added(target));
      target.value = "";
    }
  },
  true,
);
