// Tables that sort by a click or by Enter on their heads. All else works without this script.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const number = (row, at) => {
    const text = row.cells[at].textContent.replace(/[,\s]/g, "").replace("−", "-");
    const found = text.match(/[-+]?\d*\.?\d+/);
    return found ? Number(found[0]) : -Infinity;
  };
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.ariaSort === "descending" || (!head.ariaSort && !head.dataset.kind);
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => {
        const order = head.dataset.kind
          ? number(a, at) - number(b, at)
          : a.cells[at].textContent.localeCompare(b.cells[at].textContent);
        return up ? order : -order;
      });
      body.append(...rows);
    });
  });
}
// A link into what is folded unfolds it.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target?.scrollIntoView();
};
addEventListener("hashchange", unfold);
if (location.hash) unfold();
