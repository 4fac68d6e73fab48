// Menus are `<details>` and open without scripts; with them, Escape and a click elsewhere close them (D-50).
const OPEN = "details.menu[open]";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") {
    return;
  }
  // The innermost one that holds the focus; else whichever is open.
  const menu = document.activeElement?.closest(OPEN) ?? document.querySelector(OPEN);
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(OPEN)) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});
