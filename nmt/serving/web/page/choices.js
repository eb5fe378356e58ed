// The choice of languages, domain and engine, from what the endpoint serves.

const AUTO = "auto";
const BOTH = "both";
const RIGHT_TO_LEFT = new Set(["Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"]);

// The BCP 47 tag: "ta" for "tam_Taml", "zh-Hant" for "zho_Hant".
function languageTag(code) {
  const tag = code.replace("_", "-");
  try {
    return new Intl.Locale(tag).minimize().toString();
  } catch {
    return tag;
  }
}

function directionOf(code) {
  return RIGHT_TO_LEFT.has(code.split("_")[1]) ? "rtl" : "ltr";
}

function nameOf(code) {
  const tag = languageTag(code);
  let short = code;
  let name = code;
  try {
    short = new Intl.Locale(tag).language;
    name = new Intl.DisplayNames(["en"], { type: "language" }).of(tag);
  } catch { /* a code that the browser does not know */ }
  const listed = (wanted) => served.languages.find((each) => each.code === wanted)?.name;
  // "Tamil (Tamil)": the script is of interest only where a language has several.
  return listed(code) ?? listed(short) ?? name.replace(/ \(.*\)$/, "");
}

function currentChoice() {
  return {
    source: at("source-language").value,
    target: at("target-language").value,
    domain: at("domain").value,
    engine: at("engine").value,
  };
}

function routesOf(source, target) {
  return (served.health?.routes ?? []).filter(
    (route) => (source === AUTO || route.source === source) && (!target || route.target === target),
  );
}

function distinct(values) {
  return [...new Set(values)];
}

function fillChoices() {
  const { health } = served;
  const kept = { ...recall("localStorage", "choice"), ...nonEmpty(currentChoice()) };
  const sources = distinct(health.routes.map((route) => route.source));
  const source = sources.includes(kept.source) || kept.source === AUTO ? kept.source : health.source;
  options(at("source-language"), [
    ...sources.map((code) => ({ value: code, label: nameOf(code) })),
    ...(sources.length ? [{ value: AUTO, label: "Detect language" }] : []),
  ], source);
  fillTargets(kept.target ?? health.target, kept.domain ?? "");
}

function nonEmpty(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value));
}

function fillTargets(target, domain) {
  const targets = distinct(routesOf(at("source-language").value).map((route) => route.target));
  options(at("target-language"), targets.map((code) => ({ value: code, label: nameOf(code) })), target);
  fillDomains(domain);
}

function fillDomains(domain) {
  const { source, target } = currentChoice();
  const domains = distinct(routesOf(source, target).map((route) => route.domain ?? ""));
  options(
    at("domain"), domains.map((name) => ({ value: name, label: name || "General" })), domain,
  );
  at("domain-field").hidden = domains.every((name) => !name);
  fillEngines();
  showLanguages();
}

function fillEngines() {
  const { source, target, domain, engine } = currentChoice();
  const route = routesOf(source, target).find(
    (each) => (each.domain ?? "") === domain && each.canary,
  );
  options(at("engine"), route ? [
    { value: "", label: `Automatic (${route.percent} % new)` },
    { value: "stable", label: `Stable: ${route.engine}` },
    { value: "canary", label: `New (canary): ${route.canary}` },
    { value: BOTH, label: "Both, side by side" },
  ] : [{ value: "", label: "Automatic" }], engine);
  at("engine-field").hidden = !route;
}

function showLanguages() {
  const { source, target } = currentChoice();
  const area = at("source");
  if (source === AUTO || !source) {
    area.removeAttribute("lang");
    area.dir = "auto";
  } else {
    area.lang = languageTag(source);
    area.dir = directionOf(source);
  }
  at("source-name").textContent = source && source !== AUTO ? nameOf(source) : "Text";
  const from = source && source !== AUTO ? nameOf(source) : "Any language";
  document.title = target ? `${from} to ${nameOf(target)}` : "Translate";
  showSwap();
}

// The source language of the text, also when it was detected.
function sourceLanguage() {
  const { source } = currentChoice();
  return source === AUTO ? shownResults()[0]?.source ?? "" : source;
}

function showSwap() {
  const source = sourceLanguage();
  const isServed = source && routesOf(at("target-language").value, source).length > 0;
  if (!isServed && document.activeElement === at("swap")) at("target-language").focus();
  at("swap").hidden = !isServed;
}

function swapLanguages() {
  const source = sourceLanguage();
  const { target, domain } = currentChoice();
  const [result] = shownResults();
  if (result) at("source").value = textOf(result);
  at("source-language").value = target;
  fillTargets(source, domain);
  clearResults();
  sourceChanged();
  rememberChoice();
  announce(`${nameOf(target)} to ${nameOf(source)}`);
}

function rememberChoice() {
  const { source, target, domain } = currentChoice();
  remember("localStorage", "choice", { source, target, domain });
}

function startChoices() {
  const then = (id, fill) => at(id).addEventListener("change", () => { fill(); rememberChoice(); });
  then("source-language", () => fillTargets(at("target-language").value, at("domain").value));
  then("target-language", () => fillDomains(at("domain").value));
  then("domain", fillEngines);
  at("swap").addEventListener("click", swapLanguages);
}
