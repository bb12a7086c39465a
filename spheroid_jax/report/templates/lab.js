// The laboratory report: cards, plate and the large picture, from the data in the page.
"use strict";
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const filters = document.getElementById("filters");
  const cards = document.getElementById("cards");
  const large = document.getElementById("large");
  const verdicts = [...document.querySelectorAll("#verdicts button")];
  const SVG = "http://www.w3.org/2000/svg";
  let shown = [];
  let current = 0;

  // The picture with its contours, as children of an element.
  function fill(element, picture, cover) {
    element.replaceChildren();
    if (!picture.jpeg) {
      element.textContent = "no image";
      return;
    }
    const image = document.createElement("img");
    image.alt = picture.name;
    image.decoding = "async";
    image.src = `data:image/jpeg;base64,${picture.jpeg}`;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${picture.width} ${picture.height}`);
    svg.setAttribute("preserveAspectRatio", cover ? "xMidYMid slice" : "xMidYMid meet");
    svg.setAttribute("aria-hidden", "true");
    for (const points of picture.contours) {
      const polygon = document.createElementNS(SVG, "polygon");
      polygon.setAttribute("points", points);
      svg.append(polygon);
    }
    element.append(image, svg);
  }

  // Three digits, a decimal point, and commas between thousands, whatever the reader's language.
  const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const number = (value) => (value === null ? "" : three.format(value));
  const size = (picture) =>
    picture.diameter === null ? "" : `${number(picture.diameter)} ${data.unit}`;

  const orders = {
    look: (a, b) => a.rank - b.rank || b.doubts.length - a.doubts.length || a.order - b.order,
    name: (a, b) => a.order - b.order,
    small: (a, b) => (a.diameter ?? Infinity) - (b.diameter ?? Infinity),
    large: (a, b) => (b.diameter ?? -Infinity) - (a.diameter ?? -Infinity),
    round: (a, b) => (a.circularity ?? Infinity) - (b.circularity ?? Infinity),
  };

  function show() {
    const words = filters.elements.search.value.toLowerCase();
    const wanted = verdicts
      .filter((button) => button.getAttribute("aria-pressed") === "true")
      .map((button) => button.dataset.verdict);
    shown = data.pictures
      .filter((picture) => !wanted.length || wanted.includes(picture.verdict))
      .filter(({ name, well }) => `${name}\n${well}`.toLowerCase().includes(words))
      .sort(orders[filters.elements.sort.value]);
    document.getElementById("count").textContent =
      `${shown.length} of ${data.pictures.length} images`;
    cards.classList.toggle("no-contours", !filters.elements.contours.checked);
    const template = document.getElementById("card").content;
    cards.replaceChildren(
      ...shown.map((picture, place) => {
        const item = template.cloneNode(true);
        fill(item.querySelector(".picture"), picture, false);
        const name = item.querySelector(".name");
        name.textContent = name.title = picture.name;
        item.querySelector(".value").textContent = size(picture);
        const verdict = item.querySelector(".verdict");
        const dot = document.createElement("i");
        dot.className = "dot";
        dot.dataset.verdict = picture.verdict;
        verdict.append(dot, [picture.verdict, ...picture.doubts].join("; "));
        item.querySelector("button").addEventListener("click", () => open(place));
        return item;
      }),
    );
  }

  function open(place) {
    current = (place + shown.length) % shown.length;
    const picture = shown[current];
    large.querySelector("h2").textContent = picture.name;
    fill(large.querySelector(".picture"), picture, false);
    const found = picture.findings.length ? picture.findings : [picture.verdict];
    const why = [...found.map((name) => `${name}: ${data.meanings[name]}`), picture.reason];
    large.querySelector(".why").textContent = [...why, picture.flags].filter(Boolean).join("\n");
    tabulate(large.querySelector("table"), picture.bodies);
    if (!large.open) large.showModal();
  }

  // A row per measurement; the ends of its error bar are behind its value.
  function tabulate(table, bodies) {
    table.replaceChildren();
    const place = (name) => data.columns.indexOf(name);
    const end = (name, which) => place(name.replace(/(_um\d?|_px\d?|)$/, `_${which}$1`));
    data.columns.forEach((column, at) => {
      const isEnd = /_(low|high)(_|$)/.test(column);
      if (isEnd || !bodies.some((body) => body[at] !== null)) return;
      const line = table.insertRow();
      line.append(cell("th", column, "row"));
      const [low, high] = [end(column, "low"), end(column, "high")];
      for (const body of bodies) {
        line.insertCell().textContent = number(body[at]);
        const bar = line.insertCell();
        if (low >= 0 && body[low] !== null)
          bar.textContent = `${number(body[low])} to ${number(body[high])}`;
      }
    });
  }

  const folderOf = (picture) => picture.name.replace(/[^/]*$/, "");

  // Opens the first of several pictures; the arrow keys turn to the others.
  function openWell(well, here) {
    for (const each of verdicts) each.setAttribute("aria-pressed", "false");
    filters.elements.search.value = here.length > 1 ? well : "";
    show();
    open(shown.indexOf(here[0]));
  }

  function drawPlate() {
    const plate = document.getElementById("plate");
    if (!plate) return;
    const form = document.getElementById("plate-form");
    const here = data.pictures.filter(
      (picture) =>
        picture.well &&
        picture.time === form.elements.time.value &&
        (!form.elements.folder.value || folderOf(picture) === form.elements.folder.value),
    );
    const rows = [...new Set(here.map((picture) => picture.well.replace(/\d+/, "")))];
    rows.sort((a, b) => a.length - b.length || a.localeCompare(b));
    const columns = here.map((picture) => Number(picture.well.replace(/\D+/, "")));
    const most = Math.max(...columns, 1);
    plate.replaceChildren();
    const head = plate.createTHead().insertRow();
    head.append(document.createElement("td"));
    for (let column = 1; column <= most; column++) head.append(cell("th", column, "col"));
    const body = plate.createTBody();
    const diameters = here.map((picture) => picture.diameter).filter((value) => value !== null);
    const [least, largest] = [Math.min(...diameters), Math.max(...diameters)];
    const bySize = form.elements.color.value === "size" && diameters.length > 0;
    const scale = document.getElementById("scale");
    scale.hidden = !bySize;
    scale.firstElementChild.textContent = `${number(least)} ${data.unit}`;
    scale.lastElementChild.textContent = `${number(largest)} ${data.unit}`;
    for (const row of rows) {
      const line = body.insertRow();
      line.append(cell("th", row, "row"));
      for (let column = 1; column <= most; column++) {
        const well = `${row}${String(column).padStart(2, "0")}`;
        const inWell = here.filter((each) => each.well === well).sort(orders.look);
        const place = line.insertCell();
        if (!inWell.length) continue;
        const [picture] = inWell;
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.verdict = picture.verdict;
        const images = inWell.length > 1 ? ` (${inWell.length} images)` : "";
        button.title = `${well}: ${picture.verdict} ${size(picture)}${images}`;
        button.setAttribute("aria-label", button.title);
        const inside = document.createElement("span");
        inside.className = "picture";
        fill(inside, picture, true);
        button.append(inside);
        if (inWell.length > 1) button.append(label("several", `×${inWell.length}`));
        if (bySize) {
          const share = (100 * (picture.diameter - least)) / (largest - least || 1);
          button.style.borderColor =
            picture.diameter === null
              ? "transparent"
              : `color-mix(in oklab, var(--large) ${share}%, var(--small))`;
          if (picture.diameter !== null) button.append(label("size", number(picture.diameter)));
        }
        button.addEventListener("click", () => openWell(well, inWell));
        place.append(button);
      }
    }
  }

  function label(kind, text) {
    const element = document.createElement("span");
    element.className = kind;
    element.textContent = text;
    return element;
  }

  function cell(kind, text, scope) {
    const element = document.createElement(kind);
    element.scope = scope;
    element.textContent = text;
    return element;
  }

  const form = document.getElementById("plate-form");
  if (form) {
    const placed = data.pictures.filter((picture) => picture.well);
    const times = [...new Set(placed.map((picture) => picture.time))];
    form.elements.time.append(...times.map((time) => new Option(time || "not in the name", time)));
    // Folders matter where they, and not the times, tell pictures of one well apart.
    const seen = new Set(placed.map((each) => `${each.well} ${each.time}`));
    const apart = new Set(placed.map((each) => `${each.well} ${each.time} ${folderOf(each)}`));
    const folders = [...new Set(placed.map(folderOf))];
    form.elements.folder.append(new Option("all", ""), ...folders.map((each) => new Option(each)));
    form.elements.folder.parentElement.hidden = seen.size === apart.size;
    const count = (time) => placed.filter((picture) => picture.time === time).length;
    form.elements.time.value = times.reduce((a, b) => (count(b) > count(a) ? b : a));
    form.elements.time.parentElement.hidden = times.length < 2;
    form.addEventListener("input", drawPlate);
    drawPlate();
  }
  for (const button of verdicts) {
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!pressed));
      show();
    });
  }
  filters.addEventListener("input", show);
  filters.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("previous").addEventListener("click", () => open(current - 1));
  document.getElementById("next").addEventListener("click", () => open(current + 1));
  document.getElementById("large-contours").addEventListener("input", (event) => {
    large.classList.toggle("no-contours", !event.target.checked);
  });
  large.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") open(current - 1);
    if (event.key === "ArrowRight") open(current + 1);
  });
  show();
}
