"use strict";

const collator = new Intl.Collator("en", { numeric: true });

/** Compares two values for sorting, ascending if `sign` is 1; null always comes last. */
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  const numbers = typeof a === "number" && typeof b === "number";
  return sign * (numbers ? a - b : collator.compare(a, b));
}

/* Tables. */

/** Returns the value that a cell is sorted by: a number, a text, or null. */
function valueOf(cell) {
  if (!cell.classList.contains("number")) return cell.textContent;
  return "value" in cell.dataset ? Number(cell.dataset.value) : null;
}

const SIGNS = { none: 0, ascending: 1, descending: -1 };
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

/** Makes buttons of the headings: a click sorts ascending, then descending, then as given. */
function makeSortable(table) {
  const body = table.tBodies[0];
  const given = [...body.rows];
  // The row above, if any, names groups of columns.
  const headings = [...[...table.tHead.rows].at(-1).cells];

  function sortBy(column) {
    const order = NEXT[headings[column].getAttribute("aria-sort")];
    for (const heading of headings) heading.setAttribute("aria-sort", "none");
    headings[column].setAttribute("aria-sort", order);
    const sorted = [...given];
    if (order !== "none") {
      const value = (row) => valueOf(row.cells[column]);
      sorted.sort((a, b) => compare(value(a), value(b), SIGNS[order]));
    }
    body.replaceChildren(...sorted);
  }

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(column));
    heading.append(button);
    heading.setAttribute("aria-sort", "none");
  });
}

/* Cards of the images. */

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);

/** Returns a score as text, in the unit that it is given in. */
function scoreText(score) {
  return score === null ? "–" : score.toFixed(1);
}

/** Returns the range over the folds as text, or "" if the folds have one value. */
function rangeText([low, high]) {
  return low === high ? "" : `folds ${scoreText(low)}–${scoreText(high)}`;
}

/** Makes an image's card, still without a prediction. */
function newCard(image) {
  const card = byId("card").content.firstElementChild.cloneNode(true);
  const { dataset, name, width, height } = image;
  const picture = card.querySelector("img");
  picture.src = `data:image/jpeg;base64,${image.jpeg}`;
  picture.alt = `${dataset}, ${name}`;
  picture.width = width;
  picture.height = height;
  const overlay = card.querySelector("svg");
  overlay.setAttribute("viewBox", `0 0 ${2 * width} ${2 * height}`);
  card.querySelector(".truth").setAttribute("d", image.truth);
  const heading = card.querySelector("h3");
  heading.textContent = heading.title = name;
  card.querySelector(".dataset").textContent = dataset;
  const body = card.querySelector("tbody");
  for (const score of data.scores.slice(1)) {
    const row = body.insertRow();
    const title = document.createElement("th");
    title.scope = "row";
    title.textContent = score;
    row.append(title);
    row.insertCell();
  }
  return card;
}

const NO_PREDICTION = {
  folds: [],
  scores: data.scores.map(() => null),
  range: [null, null],
};

/** Puts a prediction's outlines and scores into a card. */
function fill(card, { folds, scores, range }) {
  const truth = card.querySelector(".truth");
  const outlines = folds.map((path) => {
    const outline = truth.cloneNode();
    outline.setAttribute("class", "model");
    outline.setAttribute("d", path);
    return outline;
  });
  // The truth comes last: its dashes leave the model's line to be seen.
  truth.parentNode.replaceChildren(...outlines, truth);
  const [main, ...others] = scores.map(scoreText);
  const unit = scores[0] === null ? "" : " %";
  card.querySelector(".score b").textContent = `${data.scores[0]} ${main}${unit}`;
  card.querySelector(".score span").textContent = rangeText(range);
  card.querySelectorAll("td").forEach((cell, i) => {
    cell.textContent = others[i];
  });
}

/* Filters. The part of the address after # holds their state. */

const form = byId("filters");
const fields = [...form.elements].filter((field) => field.name);
const cards = new Map();

/** Returns the card of an image, with the prediction of a model. */
function cardOf(image, model) {
  if (!cards.has(image)) cards.set(image, { element: newCard(image) });
  const card = cards.get(image);
  if (card.model !== model) {
    fill(card.element, image.predictions[model] ?? NO_PREDICTION);
    card.model = model;
  }
  return card.element;
}

const ORDERS = {
  worst: (a, b) => compare(a.score, b.score, 1),
  best: (a, b) => compare(a.score, b.score, -1),
  name: () => 0,
};

/** Returns whether a score lies within bounds; "" stands for no bound. */
function within(score, min, max) {
  if (score === null) return min === "" && max === "";
  return (min === "" || score >= min) && (max === "" || score <= max);
}

/** Shows the images that match the fields. */
function show() {
  const { dataset, model, min, max, sort, search, ...looks } =
    Object.fromEntries(new FormData(form));
  const index = data.models.indexOf(model);
  const part = search.toLowerCase();
  const chosen = data.images
    .map((image) => {
      const score = image.predictions[index]?.scores[0] ?? null;
      return { image, score };
    })
    .filter(
      ({ image, score }) =>
        (dataset === "" || image.dataset === dataset) &&
        image.name.toLowerCase().includes(part) &&
        within(score, min, max),
    )
    .sort(
      (a, b) =>
        ORDERS[sort](a, b) || compare(a.image.name, b.image.name, 1),
    );
  const list = byId("cards");
  list.replaceChildren(...chosen.map(({ image }) => cardOf(image, index)));
  Object.assign(list.dataset, looks);
  byId("count").textContent =
    `${chosen.length} of ${data.images.length} images`;
  byId("choice").textContent = choiceText();
}

/** Returns the default value of a field. */
function usual(field) {
  return field.options ? field.options[0].value : "";
}

/** Returns a text for print: the model, and all fields that differ from their defaults. */
function choiceText() {
  return fields
    .filter((field) => field.name === "model" || field.value !== usual(field))
    .map((field) => {
      const value = field.selectedOptions?.[0]?.text ?? field.value;
      return `${field.labels[0].firstChild.data.trim()}: ${value}`;
    })
    .join(" · ");
}

/** Sets the fields from the address; fields that it does not name get their defaults. */
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  form.reset();
  for (const field of fields) {
    if (!given.has(field.name)) continue;
    field.value = given.get(field.name);
    // A link from another page can name a model that this one has not.
    if (field.selectedIndex === -1) field.value = usual(field);
  }
  show();
}

/** Writes the fields that differ from their defaults into the address. */
function writeAddress() {
  const said = new URLSearchParams();
  for (const field of fields) {
    if (field.value !== usual(field)) said.set(field.name, field.value);
  }
  history.replaceState(null, "", `#${said}`);
}

/** Returns whether the address holds fields, and not the name of a section. */
function addressChooses() {
  return location.hash.includes("=");
}

function offer(name, values) {
  form.elements[name].append(
    ...Array.from(values, (value) => new Option(value)),
  );
}

function startImages() {
  offer("dataset", new Set(data.images.map((image) => image.dataset)));
  offer("model", data.models);
  for (const hidden of [form, byId("state")]) hidden.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    show();
    writeAddress();
  });
  byId("defaults").addEventListener("click", () => {
    form.reset();
    show();
    writeAddress();
  });
  addEventListener("hashchange", () => {
    if (addressChooses()) readAddress();
  });
  readAddress();
  if (addressChooses()) byId("images").scrollIntoView();
}

/* On paper nothing can be opened by a click, so all details are open. */

let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details:not([open])")];
  for (const details of unfolded) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of unfolded) details.open = false;
});

document.querySelectorAll(".table table").forEach(makeSortable);
startImages();
