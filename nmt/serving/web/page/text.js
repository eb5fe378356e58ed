// Translating the text of the left side.

const STREAM = "application/x-ndjson";

let running = null;
let translated = null;

function showCount() {
  const limit = served.settings.charLimit;
  const count = [...at("source").value].length;
  const over = limit > 0 ? count - limit : 0;
  const limited = limit > 0 ? ` of ${countOf(limit, "character")}` : ` ${count === 1 ? "character" : "characters"}`;
  at("count").textContent = over > 0
    ? `${count.toLocaleString("en")}${limited}: ${countOf(over, "character")} too many`
    : `${count.toLocaleString("en")}${limited}`;
  at("count").classList.toggle("over", over > 0);
  return over > 0;
}

function sourceChanged() {
  const text = at("source").value;
  showCount();
  at("clear").hidden = !text;
  remember("sessionStorage", "text", text || null);
  if (translated !== null && !running) {
    at("status").textContent = text === translated ? "" : "The text has changed since.";
  }
}

// The latest press counts: a translation that is still under way is given up.
async function translate() {
  const text = at("source").value;
  showError("");
  if (!text.trim()) {
    at("status").textContent = "There is no text to translate.";
    return;
  }
  if (showCount()) {
    showError("The text is too long: shorten it, or upload it as a document");
    return;
  }
  running?.abort();
  const own = running = new AbortController();
  at("results").setAttribute("aria-busy", "true");
  at("status").textContent = "Translating …";
  const start = performance.now();
  const found = await translateAll(text, own.signal);
  if (own !== running) return;
  running = null;
  at("results").removeAttribute("aria-busy");
  finish(text, found, (performance.now() - start) / 1000);
}

// Returns the results and the errors: of two engines, one may fail.
async function translateAll(text, signal) {
  const choice = currentChoice();
  const names = choice.engine === BOTH ? ["stable", "canary"] : [choice.engine];
  const settled = await Promise.allSettled(
    names.map((engine) => translateWith(engine, text, choice, signal)),
  );
  return {
    results: settled.filter((each) => each.value).map((each) => each.value),
    errors: settled.filter((each) => each.reason).map((each) => each.reason),
  };
}

function finish(text, { results: found, errors }, seconds) {
  // An error leaves the last translation where it is.
  if (errors.length) showError(distinct(errors.map((error) => error.message)).join(". "));
  if (!found.length) {
    at("status").textContent = "";
    return;
  }
  translated = text;
  showResults(found);
  at("status").textContent = `Translated in ${seconds.toFixed(2)} s.`;
  const spoken = found.map((result) => textOf(result)).join("\n");
  announce(spoken.length <= 500 ? spoken : countOf(spoken.split("\n").length, "line"));
  const known = served.health?.routes ?? [];
  const isNew = ({ engine }) => !known.some((each) => [each.engine, each.canary].includes(engine));
  if (found.some(isNew)) refresh();
}

async function translateWith(engine, text, choice, signal) {
  const glossary = chosenGlossary();
  const lines = text.split("\n");
  const texts = lines.filter((line) => line.trim());
  const body = {
    text: texts,
    source: choice.source,
    target: choice.target,
    ...(choice.domain && { domain: choice.domain }),
    ...(engine && { engine }),
    ...(glossary && { glossary }),
    details: true,
  };
  const response = await sendTexts(body, text, signal);
  const answer = await readAnswer(response, texts.length);
  const source = answer.source ?? choice.source;
  const target = answer.target ?? choice.target;
  const isWhole = answer.translations.length !== texts.length;
  return {
    title: engine && choice.engine === BOTH ? `${nameOf(target)}, ${engine === "stable" ? "stable" : "new"}` : nameOf(target),
    engine: answer.engine,
    detected: answer.detected,
    requestId: response.headers.get("X-Request-Id") ?? undefined,
    source, target, domain: choice.domain, glossary,
    lines: isWhole ? [lineOf(text, answer.translations[0])] : linesOf(lines, answer.translations),
  };
}

// Every line is a text of its own, so that each has its own marks; a line break ends a sentence anyway.
async function sendTexts(body, text, signal) {
  try {
    return await postJson("v1/translate", body, {
      signal, accept: body.text.length > 1 ? STREAM : undefined,
    });
  } catch (error) {
    if (error.code !== "too_large" || body.text.length === 1) throw error;
    // More lines than a request may have texts.
    return postJson("v1/translate", { ...body, text: [text] }, { signal });
  }
}

function readAnswer(response, count) {
  if (response.headers.get("Content-Type") !== STREAM) return readJson(response);
  let done = 0;
  return readStream(response, () => {
    done += 1;
    at("status").textContent = `Translating, ${done} of ${countOf(count, "line")} …`;
  });
}

function linesOf(lines, translations) {
  const rest = [...translations];
  return lines.map((line) => (line.trim() ? lineOf(line, rest.shift()) : { source: "", shown: line }));
}

function lineOf(source, found) {
  return {
    source,
    translation: found.text,
    shown: found.text,
    confidence: found.confidence,
    warnings: found.warnings ?? [],
    glossary: found.glossary ?? [],
  };
}

function startText() {
  const isShortcut = (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (/Mac|iP(hone|ad)/.test(navigator.platform)) at("shortcut").querySelector("kbd").textContent = "⌘";
  at("text-form").addEventListener("submit", (event) => { event.preventDefault(); translate(); });
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event) || at("text-panel").hidden) return;
    event.preventDefault();
    translate();
  });
  at("source").addEventListener("input", sourceChanged);
  at("clear").addEventListener("click", () => {
    at("source").value = "";
    sourceChanged();
    at("source").focus();
  });
  at("source").value ||= recall("sessionStorage", "text") ?? "";
  clearResults();
  sourceChanged();
}
