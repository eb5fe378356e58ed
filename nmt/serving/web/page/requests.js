// Requests to the endpoint, with the API key if there is one.

const MAX_TRIES = 3;
const MAX_WAIT_SECONDS = 2;
const CUT_OFF = "The service ended before its answer was complete";

class Problem extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function apiKey() {
  return recall("sessionStorage", "key");
}

async function request(path, { headers = {}, ...rest } = {}) {
  const key = apiKey();
  const sent = { ...rest, headers: key ? { ...headers, Authorization: `Bearer ${key}` } : headers };
  for (let tries = 1; ; tries += 1) {
    const response = await reach(path, sent);
    if (response.ok) return response;
    const seconds = Number(response.headers.get("Retry-After")) || 0;
    // A replica that stops or is busy: another one usually answers at once.
    const isShort = response.status === 503 && seconds > 0 && seconds <= MAX_WAIT_SECONDS;
    if (!isShort || tries === MAX_TRIES) throw await problemOf(response, seconds);
    await new Promise((done) => setTimeout(done, seconds * 1000));
  }
}

async function reach(path, sent) {
  try {
    return await fetch(path, sent);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service cannot be reached", 0, "unreachable");
  }
}

async function problemOf(response, seconds) {
  let body = null;
  try { body = await response.json(); } catch { /* a proxy in between answered with its own page */ }
  if (response.status === 401) askForKey();
  const message = body?.error ?? `The service answered with status ${response.status}`;
  const again = seconds ? `. Try again in ${seconds} s` : "";
  return new Problem(message + again, response.status, body?.code);
}

async function requestJson(path, options) {
  return readJson(await request(path, options));
}

async function readJson(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(error.name === "SyntaxError" ? "The service gave an answer that is not JSON" : CUT_OFF);
  }
}

function postJson(path, body, { signal, accept = "application/json" } = {}) {
  return request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify(body),
    signal,
  });
}

// Reads translations that come line by line, in the order in which they are ready.
async function readStream(response, onTranslation) {
  const translations = [];
  for await (const line of linesOfBody(response.body)) {
    const { index, ...rest } = JSON.parse(line);
    if (index === undefined) {
      // The last line; the status was sent before an error could happen.
      if (rest.code) throw new Problem(rest.error, 0, rest.code);
      return { ...rest, translations };
    }
    translations[index] = rest;
    onTranslation();
  }
  throw new Problem(CUT_OFF, 0, "unreachable");
}

async function* linesOfBody(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : new Problem(CUT_OFF);
    });
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines;
  }
}

function showKey(isOpen) {
  at("key-form").hidden = !isOpen;
  at("key-toggle").setAttribute("aria-expanded", String(isOpen));
  at("forget-key").hidden = !apiKey();
}

function askForKey() {
  at("key-toggle").hidden = false;
  // The focus stays where it is: the error says what is missing.
  showKey(true);
}

function startKey() {
  at("key-toggle").addEventListener("click", () => showKey(at("key-form").hidden));
  at("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const key = at("key").value.trim();
    if (!key) { at("key").focus(); return; }
    remember("sessionStorage", "key", key);
    at("key").value = "";
    showKey(false);
    at("key-toggle").focus();
    showError("");
    announce("The key is used from now on.");
    document.dispatchEvent(new Event("keychange"));
  });
  at("forget-key").addEventListener("click", () => {
    remember("sessionStorage", "key", null);
    showKey(true);
    at("key").focus();
    announce("The key is forgotten.");
  });
}
