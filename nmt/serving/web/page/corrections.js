// Ratings and corrections, which the endpoint stores with the text if its operator wants them.

function sendFeedback(result, unit, feedback) {
  return postJson("v1/feedback", {
    request_id: result.requestId,
    text: unit.source,
    translation: unit.translation,
    source: result.source,
    target: result.target,
    ...(result.domain && { domain: result.domain }),
    engine: result.engine,
    ...feedback,
  });
}

function ratingButtons(result, unit, view) {
  const buttons = ["good", "bad"].map((rating) => {
    const label = rating === "good" ? "Good translation" : "Bad translation";
    const made = button(label, () => rate(rating), { image: rating, onlyImage: true });
    made.setAttribute("aria-pressed", "false");
    return made;
  });

  async function rate(rating) {
    const [index, other] = rating === "good" ? [0, 1] : [1, 0];
    if (buttons[index].getAttribute("aria-pressed") === "true") return;
    try {
      await sendFeedback(result, unit, { rating });
    } catch (error) {
      view.say(error.message, true);
      return;
    }
    buttons[index].setAttribute("aria-pressed", "true");
    buttons[other].setAttribute("aria-pressed", "false");
    view.say("Rating stored");
  }

  return buttons;
}

// Replaces a text by a field for its correction; the focus comes back to the button at the end.
function correctionButton(result, unit, view) {
  const opener = button("Correct", open);
  const area = make("textarea", { className: "correction", rows: 3 });
  area.lang = view.text.lang;
  area.dir = view.text.dir;
  area.setAttribute("aria-label", "Correction");
  const save = button("Save the correction", store);
  save.className = "primary small";
  const form = make(
    "div", { hidden: true }, area, make("div", { className: "tools" }, save, button("Cancel", close)),
  );
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      store();
    }
  });
  view.text.after(form);

  function open() {
    area.value = unit.shown;
    toggle(true);
    area.focus();
  }

  function close() {
    toggle(false);
    opener.focus();
  }

  function toggle(isOpen) {
    form.hidden = !isOpen;
    view.text.hidden = isOpen;
    opener.hidden = isOpen;
  }

  async function store() {
    const correction = area.value.trim();
    if (!correction || correction === unit.translation) { close(); return; }
    try {
      await sendFeedback(result, unit, { rating: null, correction });
    } catch (error) {
      view.say(error.message, true);
      return;
    }
    view.choose(correction, "Corrected by you");
    view.say("Correction stored");
    close();
  }

  return opener;
}
