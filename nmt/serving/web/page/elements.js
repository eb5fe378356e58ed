// Making and finding elements. Everything that people or engines wrote is set as text, never as HTML.

function at(id) {
  return document.getElementById(id);
}

function make(tag, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

function button(label, onClick, { image = null, onlyImage = false } = {}) {
  const name = onlyImage ? { "aria-label": label, title: label } : {};
  const made = make(
    "button", { type: "button", className: "quiet", attributes: name },
    image && icon(image), onlyImage ? null : label,
  );
  made.addEventListener("click", onClick);
  return made;
}

function options(select, choices, value) {
  select.replaceChildren(
    ...choices.map((choice) => make("option", { value: choice.value, textContent: choice.label })),
  );
  select.value = choices.some((choice) => choice.value === value) ? value : choices[0]?.value ?? "";
}

function showText(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

function showError(message) {
  showText(at("error"), message && sentence(message));
}

function announce(text) {
  // Empty first: a screen reader says a text only when it changes.
  at("announcement").textContent = "";
  setTimeout(() => { at("announcement").textContent = text; }, 50);
}

function sentence(message) {
  const text = message[0].toUpperCase() + message.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function countOf(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without TLS, browsers offer the clipboard to pages of the own machine only.
  const focused = document.activeElement;
  const area = make("textarea", { value: text, className: "hidden" });
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused.focus();
  if (!isCopied) throw new Error("The browser does not allow this page to copy");
}

// Storage may be switched off in the browser; the page then just forgets.
function remember(storage, name, value) {
  try {
    if (value === null) window[storage].removeItem(`nmt.${name}`);
    else window[storage].setItem(`nmt.${name}`, JSON.stringify(value));
  } catch { /* nothing to do */ }
}

function recall(storage, name) {
  try {
    return JSON.parse(window[storage].getItem(`nmt.${name}`));
  } catch {
    return null;
  }
}
