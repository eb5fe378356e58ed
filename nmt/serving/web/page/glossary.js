// Terms that a translation has to use, for texts and for documents.

function parseTerms(text) {
  const terms = {};
  text.split("\n").forEach((line, index) => {
    if (!line.trim()) return;
    const [term, translation, ...rest] = line.split(/\s*(?:=|\t)\s*/).map((part) => part.trim());
    if (!term || !translation || rest.length) {
      throw new Problem(`Line ${index + 1} of the glossary is not "term = translation"`);
    }
    terms[term] = translation;
  });
  return terms;
}

// The value for a request: terms, a name, or undefined for no glossary.
function chosenGlossary() {
  const name = at("glossary-name").value.trim();
  const terms = parseTerms(at("terms").value);
  const hasTerms = Object.keys(terms).length > 0;
  if (name && hasTerms) throw new Problem("Give terms or the name of a glossary, not both");
  return name || (hasTerms ? terms : undefined);
}

function showGlossary() {
  let state = "";
  try {
    const chosen = chosenGlossary();
    if (typeof chosen === "string") state = `: ${chosen}`;
    else if (chosen) state = `: ${countOf(Object.keys(chosen).length, "term")}`;
  } catch {
    state = ": not complete";
  }
  at("glossary-state").textContent = state;
}

function startGlossary() {
  const kept = recall("sessionStorage", "glossary") ?? {};
  for (const id of ["terms", "glossary-name"]) {
    at(id).value = kept[id] ?? "";
    at(id).addEventListener("input", () => {
      remember("sessionStorage", "glossary", {
        terms: at("terms").value, "glossary-name": at("glossary-name").value,
      });
      showGlossary();
    });
  }
  showGlossary();
}
