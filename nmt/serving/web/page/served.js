// What the endpoint serves: asked for at the start, and again and again, as promotions change it.

const RETRY_MILLISECONDS = 3000;
const REFRESH_MILLISECONDS = 30000;

const served = { health: null, languages: [], settings: {} };
let refreshTimer = 0;

async function refresh() {
  clearTimeout(refreshTimer);
  let isServing = false;
  try {
    const [health, languages, settings] = await Promise.all([
      requestJson("health"),
      requestJson("languages"),
      // Without these the page still works, so an older endpoint is no error.
      requestJson("frontend/settings").catch(() => served.settings),
    ]);
    isServing = health.status === "ok";
    if (changes({ health, languages, settings })) showServed();
    showConnection(isServing ? "" : health.message ?? "The service is about to stop");
  } catch (error) {
    // Later failures show where they matter: at the next translation.
    if (!served.health) showConnection(`${sentence(error.message)} Trying again`);
  }
  refreshTimer = setTimeout(refresh, isServing ? REFRESH_MILLISECONDS : RETRY_MILLISECONDS);
}

function changes(found) {
  const before = JSON.stringify(served);
  Object.assign(served, found);
  return JSON.stringify(served) !== before;
}

function showConnection(message) {
  const text = message && sentence(message).replace(/Trying again\.$/, "Trying again …");
  if (at("connection").textContent !== text) showText(at("connection"), text);
}

function showServed() {
  const { health, settings } = served;
  const hasEngine = health.status !== "no_engine";
  at("served-engine").textContent = hasEngine ? health.engine : "none promoted yet";
  at("base").textContent = hasEngine ? health.base : "–";
  at("license").textContent = hasEngine ? health.license : "–";
  at("license-note").hidden = !/\bnc\b/i.test(health.license ?? "");
  if (settings.keyRequired) {
    at("key-toggle").hidden = false;
    if (!apiKey()) showKey(true);
  }
  at("feedback-note").hidden = !takesFeedback();
  showFormats(settings.supportedFilesFormat ?? []);
  fillChoices();
  showCount();
}

function takesFeedback() {
  return Boolean(served.health?.feedback ?? served.settings.feedback);
}

function startRefreshing() {
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  refresh();
}
