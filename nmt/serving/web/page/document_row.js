// One document of the list. Its elements are made once and then changed, so that the focus stays.

// The endpoint names no more than these.
const MAX_WARNINGS = 100;
const ACTIVE = new Set(["waiting", "translating"]);
const UNFINISHED = new Set([...ACTIVE, "uploading", "unknown"]);

function documentRow(entry, actions) {
  const title = make("span", { className: "file-name", textContent: entry.name, dir: "auto" });
  const pair = make("span", { className: "hint" });
  const state = make("p", { className: "state" });
  const progress = make("progress", { max: 1, attributes: { "aria-label": `Progress of ${entry.name}` } });
  const error = make("p", { className: "failure" });
  const warnings = make("details", {}, make("summary"), make("ul"));
  const buttons = Object.fromEntries(
    [["cancel", "Cancel"], ["resume", "Resume"], ["download", "Download"], ["remove", "Delete"]].map(
      ([action, label]) => {
        const made = button("", () => actions[action](row));
        nameButton(made, label, entry);
        return [action, made];
      },
    ),
  );
  buttons.download.className = "primary";
  const element = make(
    "li", { className: "card document" },
    make("div", { className: "document-head" }, title, pair),
    state, progress, error, warnings,
    make("div", { className: "tools" }, ...Object.values(buttons)),
  );
  const row = {
    entry, element, status: "", isDownloaded: false,
    show: (body) => {
      if (body.source && body.target) entry.pair = pairName(body.source, body.target);
      pair.textContent = entry.pair;
      showDocument(row, { state, progress, error, warnings, buttons }, body);
    },
    focusAction: () => focusAction(row, buttons),
  };
  return row;
}

function showDocument(row, parts, body) {
  const { status } = body;
  const focused = row.element.contains(document.activeElement) ? document.activeElement : null;
  const isChanged = row.status !== status;
  row.status = status;
  const text = stateText(row, body);
  if (parts.state.textContent !== text) parts.state.textContent = text;
  const isUnfinished = UNFINISHED.has(status);
  parts.progress.hidden = !isUnfinished;
  if (status === "translating" && body.sentences) {
    parts.progress.value = body.sentences_done / body.sentences;
  } else {
    parts.progress.removeAttribute("value");
  }
  showText(parts.error, body.error ? sentence(body.error) : "");
  showWarnings(parts.warnings, body.warnings ?? []);
  parts.buttons.cancel.hidden = !ACTIVE.has(status);
  parts.buttons.resume.hidden = !["cancelled", "failed"].includes(status);
  parts.buttons.download.hidden = status !== "done";
  parts.buttons.remove.hidden = isUnfinished;
  nameButton(parts.buttons.remove, ["gone", "refused"].includes(status) ? "Remove" : "Delete", row.entry);
  // A button that had the focus may be gone now.
  if (focused?.hidden) row.focusAction();
  if (isChanged && !isUnfinished) announce(`${row.entry.name}: ${text}`);
}

// The name of the document is part of it: a screen reader lists buttons without what is around them.
function nameButton(button, label, entry) {
  button.textContent = label;
  button.setAttribute("aria-label", `${label} ${entry.name}`);
}

function focusAction(row, buttons) {
  const next = Object.values(buttons).find((each) => !each.hidden);
  (next ?? at("documents-title")).focus();
}

function stateText(row, body) {
  const { sentences_done: done = 0, seconds_left: left } = body;
  // Not known before the document is read.
  const sentences = body.sentences ?? 0;
  const share = sentences ? `${done.toLocaleString("en")} of ${countOf(sentences, "sentence")}` : "";
  switch (body.status) {
    case "uploading": return "Uploading …";
    case "unknown": return "Asking for its state …";
    case "waiting": return "Waiting for its turn";
    case "translating": return joined("Translating", share, timeLeft(left));
    case "done": return joined("Done", row.isDownloaded ? "downloaded" : "", expiry(body.expires));
    case "cancelled": return joined("Cancelled", share);
    case "failed": return joined("Failed", share);
    case "refused": return "Not accepted";
    case "gone": return row.isDownloaded
      ? "Downloaded, and deleted from the endpoint" : "No longer on the endpoint";
    default: return body.status;
  }
}

function pairName(source, target) {
  return `${source === AUTO ? "Detected language" : nameOf(source)} to ${nameOf(target)}`;
}

function joined(...parts) {
  return parts.filter(Boolean).join(", ");
}

function timeLeft(seconds) {
  if (typeof seconds !== "number") return "";
  if (seconds < 60) return "less than a minute left";
  return `about ${countOf(Math.round(seconds / 60), "minute")} left`;
}

function expiry(expires) {
  if (!expires) return "";
  const time = new Date(expires).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return `kept until ${time}`;
}

function showWarnings(details, warnings) {
  details.hidden = warnings.length === 0;
  const [summary, list] = details.children;
  const isFull = warnings.length >= MAX_WARNINGS;
  summary.textContent = `${countOf(warnings.length, "place")}${isFull ? " or more" : ""} to check`;
  if (list.children.length === warnings.length) return;
  list.replaceChildren(...warnings.map((warning) => make(
    "li", {},
    [WARNINGS[warning.kind] ?? warning.kind, warning.path].filter(Boolean).join(", "),
    warning.source ? make("q", { textContent: warning.source, dir: "auto" }) : null,
  )));
}
