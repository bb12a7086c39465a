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
      element.textContent = "no picture";
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

  const number = (value) => (value === null ? "" : value.toPrecision(3) * 1);
  const size = (picture) =>
    picture.diameter === null ? "" : `${number(picture.diameter)} ${data.unit}`;

  const orders = {
    look: (a, b) => a.rank - b.rank || a.order - b.order,
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
      .filter((picture) => picture.name.toLowerCase().includes(words))
      .sort(orders[filters.elements.sort.value]);
    document.getElementById("count").textContent =
      `${shown.length} of ${data.pictures.length} pictures`;
    cards.classList.toggle("no-contours", !filters.elements.contours.checked);
    const template = document.getElementById("card").content;
    cards.replaceChildren(
      ...shown.map((picture, place) => {
        const item = template.cloneNode(true);
        fill(item.querySelector(".picture"), picture, false);
        item.querySelector(".name").textContent = picture.name;
        item.querySelector(".value").textContent = size(picture);
        const verdict = item.querySelector(".verdict");
        const dot = document.createElement("i");
        dot.className = "dot";
        dot.dataset.verdict = picture.verdict;
        verdict.append(dot, picture.verdict);
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
    const reasons = picture.findings.length ? picture.findings.join(", ") : picture.verdict;
    large.querySelector(".why").textContent = [reasons, picture.reason, picture.flags]
      .filter(Boolean)
      .join(". ");
    const table = large.querySelector("table");
    table.replaceChildren();
    data.columns.forEach((column, row) => {
      if (!picture.bodies.some((body) => body[row] !== null)) return;
      const line = table.insertRow();
      const heading = document.createElement("th");
      heading.scope = "row";
      heading.textContent = column;
      line.append(heading);
      for (const body of picture.bodies) line.insertCell().textContent = number(body[row]);
    });
    if (!large.open) large.showModal();
  }

  function drawPlate() {
    const plate = document.getElementById("plate");
    if (!plate) return;
    const form = document.getElementById("plate-form");
    const here = data.pictures.filter(
      (picture) => picture.well && picture.time === form.elements.time.value,
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
    for (const row of rows) {
      const line = body.insertRow();
      line.append(cell("th", row, "row"));
      for (let column = 1; column <= most; column++) {
        const well = `${row}${String(column).padStart(2, "0")}`;
        const picture = here.find((each) => each.well === well);
        const place = line.insertCell();
        if (!picture) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.verdict = picture.verdict;
        button.title = `${well}: ${picture.verdict} ${size(picture)}`;
        button.setAttribute("aria-label", button.title);
        if (form.elements.color.value === "size") {
          const share = (picture.diameter - least) / (largest - least || 1);
          button.style.borderColor =
            picture.diameter === null ? "transparent" : `hsl(${240 - 200 * share} 80% 50%)`;
        }
        const inside = document.createElement("span");
        inside.className = "picture";
        fill(inside, picture, true);
        button.append(inside);
        button.addEventListener("click", () => {
          for (const each of verdicts) each.setAttribute("aria-pressed", "false");
          filters.elements.search.value = "";
          show();
          open(shown.indexOf(picture));
        });
        place.append(button);
      }
    }
  }

  function cell(kind, text, scope) {
    const element = document.createElement(kind);
    element.scope = scope;
    element.textContent = text;
    return element;
  }

  const form = document.getElementById("plate-form");
  if (form) {
    const times = [...new Set(data.pictures.filter((p) => p.well).map((p) => p.time))];
    form.elements.time.append(...times.map((time) => new Option(time || "all", time)));
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
