// The two tabs, and the start of everything.

const TABS = ["text", "documents"];

function openTab(name) {
  for (const each of TABS) {
    const isOpen = each === name;
    at(`${each}-tab`).setAttribute("aria-selected", String(isOpen));
    at(`${each}-tab`).tabIndex = isOpen ? 0 : -1;
    at(`${each}-panel`).hidden = !isOpen;
  }
  remember("sessionStorage", "tab", name);
}

function startTabs() {
  for (const name of TABS) {
    at(`${name}-tab`).addEventListener("click", () => openTab(name));
    at(`${name}-tab`).addEventListener("keydown", (event) => {
      const wanted = {
        ArrowLeft: TABS.indexOf(name) - 1, ArrowRight: TABS.indexOf(name) + 1, Home: 0, End: -1,
      }[event.key];
      if (wanted === undefined) return;
      event.preventDefault();
      const next = TABS.at(wanted % TABS.length);
      openTab(next);
      at(`${next}-tab`).focus();
    });
  }
  const kept = recall("sessionStorage", "tab");
  if (TABS.includes(kept)) openTab(kept);
}

startTabs();
startKey();
startGlossary();
startChoices();
startText();
startDocuments();
startRefreshing();
