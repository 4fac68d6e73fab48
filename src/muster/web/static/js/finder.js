// The one shortcut: Ctrl K, or Cmd K, leads to the field that finds things (D-50).
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    const field = document.getElementById("find");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  }
});
