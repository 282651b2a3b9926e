/* Comforts only: the report is complete and readable without this script. */
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  root.classList.add("scripted");

  /* Light or dark: the reader's system decides until the button is pressed. */
  const toggle = document.querySelector(".toggle");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { toggle.textContent = isDark() ? "Light" : "Dark"; };
  const remember = (theme) => { try { localStorage.setItem("refashion-theme", theme); } catch { /* private window */ } };
  try { root.dataset.theme = localStorage.getItem("refashion-theme") || ""; } catch { /* private window */ }
  if (!root.dataset.theme) delete root.dataset.theme;
  toggle.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; remember(root.dataset.theme); label(); });
  label();

  /* A click on a column's heading sorts by it; a second click turns the order round. In a column of numbers (class "n"
     of its heading) numbers come first, then words; what is missing is last in either order. */
  const MISSING = "\u2013";
  const BOUND = { "<": -1, ">": 1, "fewer than": -1, "more than": 1 };
  const NUMBER = /^(<|>|fewer than|more than)?\s*([+-]?[\d,]*\.?\d+)/;
  const cellAt = (row, column) => {
    let end = 0; // a cell may span columns, so its place in the row is not the number of its column
    return [...row.cells].find((cell) => (end += cell.colSpan) > column);
  };
  const key = (row, column, numeric) => {
    const cell = cellAt(row, column);
    const text = (cell?.dataset.sort ?? cell?.textContent ?? "").trim().replaceAll("\u2212", "-");
    if (text === "" || text === MISSING) return { rank: 2 };
    const exact = Number(text);
    if (numeric && !Number.isNaN(exact)) return { rank: 0, value: exact, beyond: 0 };
    const found = numeric && NUMBER.exec(text);
    if (!found) return { rank: 1, value: text.toLowerCase() };
    return { rank: 0, value: Number(found[2].replaceAll(",", "")), beyond: BOUND[found[1]] ?? 0 };
  };
  const compare = (a, b, sign) => {
    if (a.rank !== b.rank) return a.rank - b.rank;
    if (a.rank === 2) return 0;
    return sign * (a.rank === 1 ? a.value.localeCompare(b.value) : a.value - b.value || a.beyond - b.beyond);
  };
  const sort = (table, column, heading) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    const numeric = heading.classList.contains("n");
    for (const body of table.tBodies) {
      const rows = [...body.rows].map((row) => ({ row, key: key(row, column, numeric) }));
      rows.sort((a, b) => compare(a.key, b.key, down ? -1 : 1));
      body.append(...rows.map((one) => one.row));
    }
    all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  for (const table of all("table.sortable")) {
    all("thead th", table).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  }

  /* Claims by verdict and by words; the address keeps both (#show=open&words=..), so that a view can be passed on. */
  const claims = all(".claim");
  const search = document.querySelector(".filter input");
  const buttons = all(".filter button");
  const shown = document.querySelector("#claims-shown");
  const named = (text) => { try { return decodeURIComponent(text); } catch { return text; } }; // such as "#%"
  const keep = (address) => { try { history.replaceState(null, "", address); } catch { /* a page without an address */ } };
  const filter = () => {
    const verdict = buttons.find((button) => button.getAttribute("aria-pressed") === "true").value;
    const words = search.value.trim().toLowerCase();
    for (const claim of claims) {
      claim.hidden = !((verdict === "" || claim.dataset.verdict === verdict) && claim.textContent.toLowerCase().includes(words));
    }
    for (const list of all(".claims")) list.previousElementSibling.hidden = !all(".claim:not([hidden])", list).length;
    const count = claims.filter((claim) => !claim.hidden).length;
    shown.textContent = `${count} of ${claims.length} claims shown.`;
    return [verdict, words];
  };
  const chosen = () => {
    const [verdict, words] = filter();
    const parts = [verdict && `show=${encodeURIComponent(verdict)}`, words && `words=${encodeURIComponent(words)}`];
    keep(`#${parts.filter(Boolean).join("&") || "claims"}`);
  };
  const press = (pressed) => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === pressed)));
  if (search) {
    buttons.forEach((button) => button.addEventListener("click", () => { press(button); chosen(); }));
    search.addEventListener("input", chosen);
    for (const link of all("[data-show]")) {
      link.addEventListener("click", () => { press(buttons.find((one) => one.value === link.dataset.show)); filter(); });
    }
    for (const claim of claims) {
      claim.querySelector("summary").addEventListener("click", () => { if (!claim.firstElementChild.open) keep(`#${claim.id}`); });
    }
  }
  const reveal = () => {
    const hash = location.hash.slice(1);
    const wanted = /^(show|words)=/.test(hash) && new Map(hash.split("&").map((part) => part.split("=", 2)));
    if (wanted && search) {
      search.value = named(wanted.get("words") ?? "");
      press(buttons.find((button) => button.value === named(wanted.get("show") ?? "")) ?? buttons[0]);
      filter();
      document.getElementById("claims").scrollIntoView();
      return;
    }
    const target = hash && document.getElementById(named(hash));
    if (!target) return;
    if (target.hidden) { search.value = ""; press(buttons[0]); filter(); }
    const inside = target.matches(".claim, .list > li") ? target.querySelector("details") : target;
    for (let box = inside.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  /* One seed at a time. */
  const seed = document.querySelector("#seed");
  if (seed) {
    const papers = all(".papers tbody tr");
    seed.addEventListener("input", () => {
      papers.forEach((row, i) => row.classList.toggle("chosen", i === Number(seed.value)));
      document.querySelector("#seed-chosen").value = papers[seed.value].dataset.seed;
      document.querySelector("#seed-told").textContent = papers[seed.value].dataset.told;
    });
  }

  /* What scrolls sideways can be reached by the keyboard. */
  const reach = () => {
    for (const box of all(".table, .plot, pre")) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      box.toggleAttribute("tabindex", false);
      if (!scrolls) { box.removeAttribute("role"); box.removeAttribute("aria-label"); continue; }
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `${box.dataset.name || "Text"}, scrolls sideways`);
    }
  };
  addEventListener("resize", reach);
  all("details").forEach((fold) => fold.addEventListener("toggle", reach));
  reach();

  /* Where the reader is, in the contents. */
  const links = new Map(all(".contents ol a").map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "0px 0px -75% 0px" });
  all("main > section").filter((section) => links.has(section.id)).forEach((section) => watcher.observe(section));

  /* Paper cannot be unfolded: all is, but the configuration. */
  let folded = [];
  addEventListener("beforeprint", () => { folded = all("details.print:not([open])"); folded.forEach((box) => { box.open = true; }); });
  addEventListener("afterprint", () => { folded.forEach((box) => { box.open = false; }); });
})();
