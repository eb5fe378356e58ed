// Documents: upload, progress, download. The endpoint translates them in the background.

const POLL_MILLISECONDS = 1500;
const MAX_POLL_MILLISECONDS = 15000;
const REVOKE_MILLISECONDS = 60000;

const rows = [];
let pollTimer = 0;
let pollMilliseconds = POLL_MILLISECONDS;

// In the storage of the tab, which ends with it: where no keys are asked for, whoever has the id
// of a document can read it, and the next user of a shared computer must not.
function rememberDocuments() {
  remember("sessionStorage", "documents", rows.filter((row) => row.entry.id).map((row) => row.entry));
  at("no-documents").hidden = rows.length > 0;
  at("documents-note").hidden = rows.length === 0;
}

function addRow(entry, isFirst = true) {
  const row = documentRow(entry, { cancel, resume, download, remove });
  rows[isFirst ? "unshift" : "push"](row);
  at("documents")[isFirst ? "prepend" : "append"](row.element);
  return row;
}

function pathOf(row, action = "") {
  return `v1/documents/${encodeURIComponent(row.entry.id)}${action}`;
}

async function upload(file) {
  const { source, target } = currentChoice();
  const row = addRow({ name: file.name, pair: source ? pairName(source, target) : "" });
  row.show({ status: "uploading" });
  rememberDocuments();
  try {
    const response = await request("v1/documents", { method: "POST", body: documentForm(file) });
    const body = await readJson(response);
    row.entry.id = body.id;
    rememberDocuments();
    row.show(body);
    pollSoon();
  } catch (error) {
    row.show({ status: "refused", error: error.message });
  }
}

function documentForm(file) {
  const { source, target, domain, engine } = currentChoice();
  const glossary = chosenGlossary();
  const fields = {
    source, target, domain,
    // Two engines would be two documents.
    engine: engine === BOTH ? "" : engine,
    glossary: typeof glossary === "object" ? JSON.stringify(glossary) : glossary,
    format: at("format").value,
    encoding: at("encoding").value.trim(),
    keys: at("keys").value.trim(),
    overwrite: at("overwrite").checked ? "true" : "",
    is_wrapped: at("wrapped").checked ? "true" : "",
  };
  const form = new FormData();
  for (const [name, value] of Object.entries(nonEmpty(fields))) form.append(name, value);
  form.append("file", file, file.name);
  return form;
}

function pollSoon() {
  clearTimeout(pollTimer);
  pollTimer = setTimeout(poll, pollMilliseconds);
}

async function poll() {
  const open = rows.filter((row) => row.entry.id && UNFINISHED.has(row.status));
  if (!open.length) return;
  const errors = (await Promise.all(open.map(readStatus))).filter(Boolean);
  // Without a valid key there is nothing to ask for until the next one is given.
  if (errors.some((error) => error.status === 401)) return;
  // While the service does not answer, ask less and less often.
  pollMilliseconds = errors.length
    ? Math.min(MAX_POLL_MILLISECONDS, pollMilliseconds * 2) : POLL_MILLISECONDS;
  pollSoon();
}

// Returns the error if the status could not be read.
async function readStatus(row) {
  try {
    row.show(await requestJson(pathOf(row)));
    return null;
  } catch (error) {
    if (error.status !== 404) return error;
    row.show({ status: "gone" });
    return null;
  }
}

async function act(row, send) {
  try {
    await send();
  } catch (error) {
    if (error.status === 404) row.show({ status: "gone" });
    else announceProblem(row, error);
    return;
  }
  await readStatus(row);
  pollSoon();
}

function announceProblem(row, error) {
  row.element.querySelector(".failure").hidden = false;
  row.element.querySelector(".failure").textContent = sentence(error.message);
  announce(error.message);
}

function cancel(row) {
  return act(row, () => request(pathOf(row, "/cancel"), { method: "POST" }));
}

function resume(row) {
  return act(row, () => request(pathOf(row, "/resume"), { method: "POST" }));
}

// Not a plain link: the key must be in a header, and never in an address.
function download(row) {
  return act(row, async () => {
    const response = await request(pathOf(row, "/result"));
    const link = make("a", {
      href: URL.createObjectURL(await response.blob()),
      download: fileName(response) ?? row.entry.name,
    });
    link.click();
    // Some browsers begin to read it later.
    setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_MILLISECONDS);
    row.isDownloaded = true;
  });
}

function fileName(response) {
  const header = response.headers.get("Content-Disposition") ?? "";
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1];
  return encoded ? decodeURIComponent(encoded) : /filename="([^"]+)"/i.exec(header)?.[1];
}

async function remove(row) {
  const isLost = row.status === "done" && !row.isDownloaded;
  if (isLost && !confirm(`${row.entry.name} has not been downloaded. Delete it?`)) return;
  try {
    if (row.entry.id && row.status !== "gone") await request(pathOf(row), { method: "DELETE" });
  } catch (error) {
    if (error.status !== 404) { announceProblem(row, error); return; }
  }
  const index = rows.indexOf(row);
  rows.splice(index, 1);
  row.element.remove();
  rememberDocuments();
  const next = rows[index] ?? rows[index - 1];
  if (next) next.focusAction();
  else at("files").focus();
  announce(`${row.entry.name} is deleted.`);
}

// Those of this tab, and with a key, those that the key has uploaded from anywhere.
async function restoreDocuments() {
  const known = new Set(rows.map((row) => row.entry.id));
  const kept = recall("sessionStorage", "documents") ?? [];
  const listed = apiKey() ? await listDocuments() : [];
  for (const entry of [...kept, ...listed]) {
    if (!known.has(entry.id)) addRow(entry, false).show({ status: "unknown" });
    known.add(entry.id);
  }
  rememberDocuments();
  await poll();
}

async function listDocuments() {
  try {
    const body = await requestJson("v1/documents");
    return body.documents.map(({ id, name, source, target }) => ({
      id, name, pair: pairName(source, target),
    }));
  } catch {
    return [];
  }
}

function showFormats(suffixes) {
  const names = suffixes.map((each) => each.replace(/^\.?/, "."));
  at("files").accept = names.join(",");
  at("formats").textContent = names.length ? `or drop them here: ${names.join(" ")}` : "or drop them here.";
}

function startDocuments() {
  at("files").addEventListener("change", () => {
    [...at("files").files].forEach(upload);
    // So that the same file can be chosen again.
    at("files").value = "";
  });
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  // On the whole page: a file that misses the field would replace the page.
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    at("drop").classList.add("over");
  });
  addEventListener("dragleave", () => at("drop").classList.remove("over"));
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    at("drop").classList.remove("over");
    openTab("documents");
    [...event.dataTransfer.files].forEach(upload);
  });
  document.addEventListener("keychange", restoreDocuments);
  restoreDocuments();
}
