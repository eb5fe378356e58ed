// The translations: one result, or two side by side; each with a part for every line of the text.

const ALTERNATIVES = 3;
const COPIED_MILLISECONDS = 2000;
const LEVELS = [[0.7, "high", "▰▰▰"], [0.45, "medium", "▰▰▱"], [0, "low", "▰▱▱"]];
const WARNINGS = {
  length: "Much shorter or longer than expected",
  repetition: "Repeats itself",
  copied: "Partly not translated",
  other_script: "In another script than expected",
  empty: "Nothing came back",
  numbers: "Numbers differ",
  punctuation: "Brackets or quotation marks differ",
  cut: "Translated in parts",
  guessed: "Place of a mark-up is a guess",
  glossary: "A glossary term is missing",
  unfinished: "The end may be missing",
};
let results = [];

function shownResults() {
  return results;
}

function textOf(result) {
  return result.lines.map((line) => line.shown).join("\n");
}

function showResults(found) {
  results = found;
  at("results").classList.toggle("both", found.length > 1);
  at("text-form").classList.toggle("wide", found.length > 1);
  at("results").replaceChildren(...found.map(resultView));
  if (found.length > 1) markDifferences(...at("results").children);
  showSwap();
}

function clearResults() {
  results = [];
  at("results").classList.remove("both");
  at("text-form").classList.remove("wide");
  at("results").replaceChildren(make(
    "section", { className: "pane" },
    make("div", { className: "pane-head" },
      make("h2", { className: "name", textContent: "Translation" })),
    make("p", { className: "result empty", textContent: "The translation appears here." }),
  ));
}

function resultView(result) {
  const heading = make("h2", { className: "name", textContent: result.title });
  const copy = button("Copy", async () => {
    try {
      await copyText(textOf(result));
    } catch (error) {
      showError(error.message);
      return;
    }
    copy.lastChild.textContent = "Copied";
    announce("Copied");
    setTimeout(() => { copy.lastChild.textContent = "Copy"; }, COPIED_MILLISECONDS);
  }, { image: "copy" });
  return make(
    "section", { className: "pane", attributes: { "aria-label": result.title } },
    make("div", { className: "pane-head" }, heading, copy),
    make("div", { className: "result" }, ...result.lines.map((line, index) => lineView(result, line, index))),
    make("p", { className: "hint", textContent: originOf(result) }),
  );
}

function originOf(result) {
  const { detected } = result;
  const found = detected && `${nameOf(result.source)} detected${
    typeof detected.confidence === "number" ? ` (${percent(detected.confidence)})` : ""}`;
  return [found, `Engine ${result.engine}`].filter(Boolean).join(" · ");
}

function percent(share) {
  // Above 1, a service counts in per cent already.
  return `${Math.round(share > 1 ? share : share * 100)} %`;
}

function lineView(result, line, index) {
  if (!line.source) return make("div", { className: "gap", attributes: { "aria-hidden": "true" } });
  const text = make("p", { className: "translation", textContent: line.shown });
  text.lang = languageTag(result.target);
  text.dir = directionOf(result.target);
  const marks = make("ul", { className: "marks" }, ...marksOf(line));
  const note = make("p", { className: "hint", attributes: { role: "status" } });
  const group = result.lines.length > 1 ? { role: "group", "aria-label": `Line ${index + 1}` } : {};
  const element = make("div", { className: "line", attributes: group }, text, marks);
  const view = {
    text,
    choose: (chosen, origin) => choose(line, text, marks, chosen, origin),
    say: (message, isError = false) => {
      note.className = isError ? "failure" : "hint";
      note.textContent = sentence(message);
    },
  };
  element.append(toolsOf(result, line, view), note);
  const [, level] = levelOf(line.confidence) ?? [];
  element.classList.toggle("doubtful", level === "low" || line.warnings.length > 0);
  return element;
}

function choose(line, text, marks, chosen, origin) {
  line.shown = chosen;
  text.textContent = chosen;
  // What the engine thought of its own translation is not true of another one.
  text.closest(".line").classList.remove("doubtful");
  marks.replaceChildren(make("li", { textContent: origin }));
}

function levelOf(confidence) {
  return typeof confidence === "number" ? LEVELS.find(([from]) => confidence >= from) : null;
}

function marksOf(line) {
  const level = levelOf(line.confidence);
  const sure = level && make(
    "li", { className: `confidence ${level[1]}`, title: "The engine's own estimate" },
    make("span", { className: "bars", textContent: level[2], attributes: { "aria-hidden": "true" } }),
    ` Confidence ${level[1]}, ${percent(line.confidence)}`,
  );
  return [sure, ...line.warnings.map((warning) => warningMark(warning, line)), ...line.glossary.map(termMark)].filter(Boolean);
}

function warningMark(warning, line) {
  const meaning = WARNINGS[warning.kind] ?? warning.kind;
  // The sentence is named where the line has more than one.
  const isPart = warning.source && warning.source !== line.source.trim();
  const where = isPart ? `: ${warning.source}` : "";
  return make("li", { className: "warning", dir: "auto" }, icon("warning"), ` ${meaning}${where}`);
}

function termMark(match) {
  const isApplied = match.applied ?? match.is_applied;
  const pair = `${match.source} → ${match.target}`;
  if (isApplied) return make("li", { textContent: `✓ ${pair}` });
  return make("li", { className: "warning" }, icon("warning"), ` Not used: ${pair}`);
}

function toolsOf(result, line, view) {
  const tools = make("div", { className: "tools" });
  const list = make("ul", { className: "alternatives", hidden: true });
  const more = button("Alternatives", toggle);
  more.setAttribute("aria-expanded", "false");
  tools.append(more);
  if (takesFeedback()) {
    tools.append(correctionButton(result, line, view), ...ratingButtons(result, line, view));
  }
  return make("div", {}, tools, list);

  // Asked for only when wanted: they cost the engine a wider search.
  async function toggle() {
    const isOpening = list.hidden;
    if (isOpening && !list.children.length) {
      try {
        showAlternatives(list, await findAlternatives(result, line), line, view);
      } catch (error) {
        view.say(error.message, true);
        return;
      }
    }
    list.hidden = !isOpening;
    more.setAttribute("aria-expanded", String(isOpening));
  }
}

async function findAlternatives(result, line) {
  const response = await postJson("v1/translate", {
    text: line.source,
    source: result.source,
    target: result.target,
    ...(result.domain && { domain: result.domain }),
    ...(result.glossary && { glossary: result.glossary }),
    engine: result.engine,
    alternatives: ALTERNATIVES,
  });
  const [found] = (await readJson(response)).translations;
  const texts = (found.alternatives ?? []).map((each) => each.text ?? each);
  return distinct([line.translation, found.text, ...texts]);
}

function showAlternatives(list, texts, line, view) {
  if (texts.length < 2) {
    list.replaceChildren(make("li", { className: "hint", textContent: "The engine has no other." }));
    return;
  }
  const buttons = texts.map((text) => {
    const use = button(text, () => {
      view.choose(text, "Chosen by you");
      press();
      announce("The translation is replaced.");
    });
    use.lang = view.text.lang;
    use.dir = view.text.dir;
    return use;
  });
  press();
  list.replaceChildren(...buttons.map((each) => make("li", {}, each)));

  function press() {
    buttons.forEach((each, index) => each.setAttribute("aria-pressed", texts[index] === line.shown));
  }
}
