// Where tabs do not fit beside each other they scroll: the page one is on is among those that are seen.
for (const current of document.querySelectorAll("nav.tabs [aria-current]")) {
  const tabs = current.parentElement;
  tabs.scrollLeft = current.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
}
