// Shows only the hosts whose row holds what is typed. The page is whole
// without it, and prints whole.
(function () {
  "use strict";
  var table = document.getElementById("hosts-table");
  var place = document.getElementById("hosts-filter");
  if (!table || !place) return;
  var rows = Array.prototype.slice.call(table.querySelectorAll("tr[data-host]"));
  var texts = null;
  var label = document.createElement("label");
  label.textContent = "Show only hosts with ";
  var input = document.createElement("input");
  input.type = "search";
  input.autocomplete = "off";
  label.appendChild(input);
  var said = document.createElement("output");
  place.appendChild(label);
  place.appendChild(said);
  input.addEventListener("input", function () {
    texts = texts || rows.map(function (r) { return r.textContent.toLowerCase(); });
    var want = input.value.trim().toLowerCase();
    var shown = 0;
    rows.forEach(function (r, i) {
      r.hidden = want !== "" && texts[i].indexOf(want) < 0;
      if (!r.hidden) shown++;
    });
    said.textContent = want === "" ? "" : shown.toLocaleString("en-US") + " of " + rows.length.toLocaleString("en-US") + " listed";
  });
})();
