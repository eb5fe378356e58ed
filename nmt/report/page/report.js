"use strict";
(() => {
  const PAGE = 50;
  // A table of words by words; above this size the words of a pair are not aligned.
  const MAX_CELLS = 4e6;
  // Scripts without spaces: each character is a token, with the marks that follow it.
  const TOKEN = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]\p{M}*|(?:(?![\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}])[\p{L}\p{M}\p{N}\u200c\u200d])+|[^\p{L}\p{M}\p{N}\u200c\u200d]+/gu;
  const WORD = /[\p{L}\p{N}]/u;
  const get = (id) => document.getElementById(id);

  function make(name, className, text) {
    const element = document.createElement(name);
    if (className) element.className = className;
    // Sentences are only ever set as text: markup in them is shown and not read.
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function fill(select, options) {
    const before = select.value;
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    if (options.some(([value]) => value === before)) select.value = before;
  }

  // The metric of all tables

  function showMetric(metric) {
    for (const group of document.querySelectorAll(".by-metric")) {
      const blocks = [...group.children];
      const chosen = blocks.find((block) => block.dataset.metric === metric) ?? blocks[0];
      for (const block of blocks) {
        block.hidden = block !== chosen;
        if (block.tagName === "DETAILS") block.open = true;
      }
    }
  }

  // Sentences

  const opened = new Map();
  let data = null;
  let rows = [];
  let first = 0;

  function open(element) {
    const name = element.dataset.set;
    if (!opened.has(name)) opened.set(name, unpack(element.textContent));
    return opened.get(name);
  }

  async function unpack(blob) {
    const bytes = Uint8Array.from(atob(blob), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const found = await new Response(stream).json();
    found.sentences = found.sentences.map(([source, references, ...texts], place) => ({
      place, source, references, texts, lower: null,
    }));
    return found;
  }

  const scoreOf = (system, row) => data.systems[system].scores[get("by").value]?.[row.place] ?? null;
  const indexOf = (id) => Number(get(id).value);

  function choose() {
    const system = indexOf("system");
    const other = indexOf("other");
    const order = get("order").value;
    const fault = get("fault").value;
    const wanted = get("text").value.normalize("NFC").toLowerCase();
    const sign = data.lower.includes(get("by").value) ? -1 : 1;
    rows = data.sentences.filter((row) => {
      if (fault && !data.systems[system].flags[row.place].includes(Number(fault))) return false;
      if (!wanted) return true;
      row.lower ??= [row.source, ...row.references, ...row.texts].join("\n").normalize("NFC").toLowerCase();
      return row.lower.includes(wanted);
    });
    const gain = (row) => {
      const [after, before] = [scoreOf(system, row), scoreOf(other, row)];
      return after === null || before === null ? null : sign * (after - before);
    };
    const level = (row) => {
      const score = scoreOf(system, row);
      return score === null ? null : sign * score;
    };
    const key = {
      win: (row) => negative(gain(row)),
      loss: gain,
      low: level,
      high: (row) => negative(level(row)),
      unsure: (row) => data.systems[system].confidences?.[row.place] ?? null,
      place: () => 0,
    }[order];
    const keys = new Map(rows.map((row) => [row, key(row)]));
    // What has no score comes last; equal ones stay in the order of the test set.
    rows.sort((a, b) => (keys.get(a) ?? Infinity) - (keys.get(b) ?? Infinity) || a.place - b.place);
    first = 0;
    show();
  }

  const negative = (value) => (value === null ? null : -value);

  function show() {
    const shown = rows.slice(first, first + PAGE);
    const range = shown.length ? `, ${first + 1} to ${first + shown.length}` : "";
    get("status").textContent = `${rows.length.toLocaleString("en")} of ${data.sentences.length.toLocaleString("en")} sentences${range}`;
    get("list").replaceChildren(...shown.map(article));
    get("previous").disabled = first === 0;
    get("next").disabled = first + PAGE >= rows.length;
  }

  function turn(step) {
    const place = first + step * PAGE;
    if (place < 0 || place >= rows.length) return;
    first = place;
    show();
    get("list").focus({ preventScroll: true });
    get("status").scrollIntoView({ block: "start" });
  }

  function article(row) {
    const [system, other] = [indexOf("system"), indexOf("other")];
    const element = make("article", "sample");
    const facts = [`sentence ${row.place + 1}`];
    if (data.domains?.[row.place]) facts.push(data.domains[row.place]);
    if (data.overlaps?.[row.place]) facts.push("like a training pair");
    element.append(block(`Source, ${facts.join(", ")}`, row.source, data.languages[0]));
    row.references.forEach((text, index) => {
      const label = row.references.length > 1 ? `Reference ${index + 1}` : "Reference";
      element.append(block(label, text, data.languages[1]));
    });
    const references = row.references.map(tokensOf);
    element.append(translation(row, system, other, references));
    if (other !== system) element.append(translation(row, other, system, references));
    if (get("all").checked) {
      data.systems.forEach((_, index) => {
        if (index !== system && index !== other) element.append(translation(row, index, other, references));
      });
    }
    return element;
  }

  function block(label, text, language) {
    const element = make("div");
    const body = make("p", text.length > 1500 ? "long" : "", text);
    body.lang = language;
    body.dir = "auto";
    if (text.length > 1500) body.tabIndex = 0;
    element.append(make("p", "label", label), body);
    return element;
  }

  function translation(row, system, other, references) {
    const info = data.systems[system];
    const parts = [];
    for (const [metric, name] of Object.entries(data.metrics)) {
      const score = info.scores[metric]?.[row.place];
      if (score !== null && score !== undefined) parts.push(`${name} ${score}`);
    }
    const confidence = info.confidences?.[row.place];
    if (confidence !== null && confidence !== undefined) parts.push(`confidence ${confidence}`);
    const usable = info.usable?.[row.place];
    if (usable !== null && usable !== undefined) parts.push(`usable ${Math.round(100 * usable)} %`);
    const text = row.texts[system];
    const element = block("", text || "(empty)", data.languages[1]);
    const label = element.firstChild;
    label.append(make("b", "", info.name), ` ${parts.join(" · ")} `);
    for (const flag of info.flags[row.place]) label.append(make("span", "pill down", data.flags[flag]), " ");
    if (other !== system) {
      if (text === row.texts[other]) label.append(make("span", "pill", `same as ${data.systems[other].name}`));
      else if (text) element.lastChild.replaceChildren(...marked(text, row.texts[other], references));
    }
    return element;
  }

  // Words that differ

  function tokensOf(text) {
    const all = text.normalize("NFC").match(TOKEN) ?? [];
    return { all, words: all.filter((token) => WORD.test(token)) };
  }

  function marked(text, otherText, references) {
    const { all, words } = tokensOf(text);
    const shared = aligned(words, tokensOf(otherText).words);
    // Of several references, the one that is most like the translation says what is right.
    const right = references.map((each) => aligned(words, each.words)).reduce((a, b) => (b.size > a.size ? b : a), new Set());
    const parts = [];
    let index = 0;
    for (const token of all) {
      const isWord = WORD.test(token);
      const mark = isWord && !shared.has(index) ? (right.has(index) ? "won" : "lost") : "";
      // Characters of a script without spaces have one mark together.
      if (parts.length && parts.at(-1).mark === mark) parts.at(-1).text += token;
      else parts.push({ mark, text: token });
      if (isWord) index += 1;
    }
    return parts.map((part) => (part.mark ? make("mark", part.mark, part.text) : document.createTextNode(part.text)));
  }

  // The places in `a` of a longest common subsequence of `a` and `b`.
  function aligned(a, b) {
    const found = new Set();
    let start = 0;
    while (start < a.length && start < b.length && a[start] === b[start]) found.add(start++);
    let [endA, endB] = [a.length, b.length];
    while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
      endA -= 1;
      endB -= 1;
      found.add(endA);
    }
    const [height, width] = [endA - start, endB - start];
    if (height * width > MAX_CELLS) {
      const known = new Set(b);
      for (let i = start; i < endA; i += 1) if (known.has(a[i])) found.add(i);
      return found;
    }
    const table = new Uint16Array((height + 1) * (width + 1));
    const at = (i, j) => i * (width + 1) + j;
    for (let i = height - 1; i >= 0; i -= 1) {
      for (let j = width - 1; j >= 0; j -= 1) {
        table[at(i, j)] = a[start + i] === b[start + j] ? table[at(i + 1, j + 1)] + 1 : Math.max(table[at(i + 1, j)], table[at(i, j + 1)]);
      }
    }
    for (let i = 0, j = 0; i < height && j < width; ) {
      if (a[start + i] === b[start + j]) {
        found.add(start + i);
        i += 1;
        j += 1;
      } else if (table[at(i + 1, j)] >= table[at(i, j + 1)]) i += 1;
      else j += 1;
    }
    return found;
  }

  // Controls

  async function showSet(packed) {
    const element = packed[indexOf("set")];
    get("status").textContent = "opening …";
    try {
      data = await open(element);
    } catch (error) {
      get("status").textContent = `The sentences of ${element.dataset.label} cannot be opened: ${error.message}`;
      return;
    }
    // A quick reader may have chosen another set while this one was being opened.
    if (element !== packed[indexOf("set")]) return;
    const names = data.systems.map((system, index) => [String(index), system.name]);
    const isNew = !get("system").options.length;
    fill(get("system"), names);
    fill(get("other"), names);
    if (isNew) ["system", "other"].forEach((id, index) => { get(id).value = String(data.chosen[index]); });
    fill(get("by"), Object.entries(data.metrics));
    showFaults();
    choose();
  }

  function showFaults() {
    const counts = new Map();
    for (const flags of data.systems[indexOf("system")].flags) {
      for (const flag of flags) counts.set(flag, (counts.get(flag) ?? 0) + 1);
    }
    const options = [...counts].sort(([a], [b]) => a - b);
    fill(get("fault"), [["", "any or none"], ...options.map(([flag, count]) => [String(flag), `${data.flags[flag]} (${count})`])]);
  }

  function startBrowser() {
    const packed = [...document.querySelectorAll("script.packed")];
    if (!packed.length || typeof DecompressionStream === "undefined") {
      const note = document.querySelector(".no-script");
      if (note) note.textContent = "This browser is too old to open all sentences (it lacks DecompressionStream), so only the first ones are shown here.";
      return;
    }
    document.documentElement.classList.add("scripted");
    get("browser").hidden = false;
    get("samples").hidden = true;
    fill(get("set"), packed.map((element, index) => [String(index), element.dataset.label]));
    get("set").addEventListener("change", () => showSet(packed));
    get("system").addEventListener("change", () => { showFaults(); choose(); });
    for (const id of ["other", "order", "by", "fault"]) get(id).addEventListener("change", choose);
    get("text").addEventListener("input", choose);
    get("all").addEventListener("change", show);
    get("previous").addEventListener("click", () => turn(-1));
    get("next").addEventListener("click", () => turn(1));
    get("list").addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight") turn(1);
      if (event.key === "ArrowLeft") turn(-1);
    });
    // Opening a set takes a moment, so it waits until the reader comes near.
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      showSet(packed);
    }, { rootMargin: "800px" });
    seen.observe(get("browser"));
  }

  const chooser = get("metric");
  if (chooser) {
    chooser.parentElement.hidden = chooser.options.length < 2;
    chooser.addEventListener("change", () => showMetric(chooser.value));
    document.documentElement.classList.add("switched");
    showMetric(chooser.value);
  }
  startBrowser();
})();
