// Sorting and filtering of tables, and opening what a link points into. Nothing is needed to read the page.
(function () {
  "use strict";
  function number(text) {
    var plain = text.trim().replace(/\u2212/g, "-").replace(/,/g, "");
    return /^[<>]?\s*-?[\d.]+/.test(plain) ? parseFloat(plain.replace(/^[<>]\s*/, "")) : NaN;
  }
  function compare(a, b) {
    var x = number(a), y = number(b);
    if (!isNaN(x) && !isNaN(y)) { return x - y; }
    return a.localeCompare(b, "en", { numeric: true });
  }
  function sortBy(table, column, button) {
    var head = button.closest("th");
    var down = head.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("thead th").forEach(function (th) { th.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var body = table.tBodies[0];
    Array.from(body.rows).map(function (row, place) {
      return { row: row, place: place, text: row.cells[column] ? row.cells[column].textContent : "" };
    }).sort(function (a, b) {
      return (down ? -1 : 1) * compare(a.text, b.text) || a.place - b.place;
    }).forEach(function (item) { body.appendChild(item.row); });
  }
  function filtered(table, input, status) {
    var words = input.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    Array.from(table.tBodies[0].rows).forEach(function (row) {
      var text = row.textContent.toLowerCase();
      var fits = words.every(function (word) { return text.indexOf(word) >= 0; });
      row.hidden = !fits;
      if (fits) { shown += 1; }
    });
    status.textContent = words.length ? shown + " of " + table.tBodies[0].rows.length + " rows" : "";
  }
  document.querySelectorAll("table.sortable").forEach(function (table, index) {
    table.querySelectorAll("thead th").forEach(function (th, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (th.firstChild) { button.appendChild(th.firstChild); }
      th.appendChild(button);
      button.addEventListener("click", function () { sortBy(table, column, button); });
    });
    if (table.tBodies[0].rows.length < 6) { return; }
    var box = document.createElement("p"), label = document.createElement("label");
    var input = document.createElement("input"), shown = document.createElement("span");
    box.className = "filter";
    label.textContent = "Show rows with ";
    input.type = "search";
    input.id = "filter-" + index;
    label.htmlFor = input.id;
    shown.setAttribute("role", "status");
    input.addEventListener("input", function () { filtered(table, input, shown); });
    box.append(label, input, " ", shown);
    var scroll = table.closest(".scroll") || table;
    scroll.parentNode.insertBefore(box, scroll);
  });
  // Where something is wider than its box, a line of text says so, as not every browser shows scroll bars.
  var boxes = Array.from(document.querySelectorAll(".scroll"));
  function hint() {
    boxes.forEach(function (box) {
      var more = box.scrollWidth > box.clientWidth + 4, before = box.previousElementSibling;
      var line = before && before.className === "more" ? before : null;
      if (more && !line) {
        line = document.createElement("p");
        line.className = "more";
        line.textContent = "Wider than the window: scroll to the right \u2192";
        box.parentNode.insertBefore(line, box);
      } else if (line) {
        line.hidden = !more;
      }
    });
  }
  hint();
  window.addEventListener("resize", hint);
  document.addEventListener("toggle", hint, true);
  function open() {
    var name = decodeURIComponent(location.hash.slice(1)), target = name && document.getElementById(name);
    if (!target) { return; }
    for (var up = target.parentElement; up; up = up.parentElement) {
      if (up.tagName === "DETAILS") { up.open = true; }
    }
    target.hidden = false;
    target.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", open);
  open();
})();
