"use strict";
// The frame: what is shown at each address, the navigation, and the pages that only explain.
(() => {
  const HB = (window.HB ||= {});
  const { html, render, useEffect, useRef } = htmPreact;

  const Reported = ({ site }) => html`<h1>Reported by others</h1>
    <p class="lead">Not measured here and never ranked: figures as their authors give them, on their prompts, their rows and their reading of the answers.</p>
    ${site.reported.map((table) => html`<section class="reported" key=${table.name} aria-label=${table.title}><h2>${table.title}</h2>
      <p class="soft"><a href=${table.url} rel="noreferrer">${table.source} ↗</a></p>
      <dl class="told"><dt>Benchmark</dt><dd>${table.benchmark}</dd><dt>Read from</dt><dd>${table.read}</dd><dt>Overall is</dt><dd>${table.overall_is}</dd><dt>Positive class</dt><dd>${table.positive_class}</dd>${table.caveat && html`<dt>Caveat</dt><dd>${table.caveat}</dd>`}</dl>
      <div class="box" tabindex="0" role="region" aria-label=${`${table.title}, the figures`}><table class="plain"><caption>Reported ${table.metric}.</caption>
        <thead><tr><th scope="col">Judge</th><th scope="col">Overall</th>${table.sources.map((source) => html`<th scope="col" key=${source}>${source}</th>`)}<th scope="col">Rows</th><th scope="col" class="text">Caveat</th></tr></thead>
        <tbody>${table.rows.map((row) => html`<tr key=${row.judge}><th scope="row">${row.judge} <span class="badge">reported</span></th><td><strong>${row.overall.toFixed(1)}</strong></td>${table.sources.map((source) => html`<td key=${source}>${row.scores[source]?.toFixed(1) ?? HB.DASH}</td>`)}<td>${row.n == null ? HB.DASH : HB.count(row.n)}</td><td class="text">${row.caveat}</td></tr>`)}</tbody></table></div></section>`)}`;

  const TERMS = [
    ["PASS and FAIL", "A faithful answer and a hallucinated one. FAIL is the positive class: precision, recall and F1 are of finding hallucinations."],
    ["Macro accuracy", "The unweighted mean of the accuracies on the sources, so that a large source does not drown a small one. It is the ranked figure."],
    ["Interval", "95 % bootstrap interval over passages: rows that share a passage are drawn together."],
    ["Rank", "A band from the best to the worst place that the intervals allow. Judges that the data cannot tell apart share places."],
    ["Unreadable", "An answer from which no verdict could be read. It is never taken for PASS or FAIL, and stays in the denominator of every rate."],
    ["Coverage", "The share of rows with a readable verdict."],
    ["Pairs", "Two answers to one question about one passage, of which one is hallucinated. A pair is right when both verdicts are."],
    ["Floor", "What a trivial rule scores on the same rows: always the majority label, or the answer's length alone. † marks a judge whose row accuracy is not shown to be above the first."],
    ["Audit", "What tells the label of these rows without reading the passage. Where a shortcut does, a high score may owe to it."],
    ["Reliability", "Whether answers given a probability of being hallucinated are so as often as stated."],
    ["Reported", "Figures that others publish. They stand on a page of their own, with their source, and are in no ranking."],
  ];
  const About = () => html`<h1>How to read this</h1><dl class="terms">${TERMS.map(([term, text]) => html`<div key=${term}><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>`;

  const Boards = ({ site }) => html`<h1>${site.title}</h1><p class="lead">How often each judge tells a faithful answer from a hallucinated one. Figures on different rows are never in one ranking: each benchmark has its own.</p>
    <ul class="cards">${site.boards.map((board) => {
      const lead = board.judges[0];
      return html`<li key=${board.id}><a href=${HB.href(["board", board.id])}><h2>${board.name}</h2><p>${HB.count(board.rows)} rows · ${HB.plural(board.judges.length, "judge")} · ${HB.plural(board.sources.length, "source")}</p>
        <p><strong>${HB.pc(lead.macro[0])} %</strong> ${HB.title(lead)}</p><p class=${`state ${board.audit?.status || "undecided"}`}>${board.audit ? (board.audit.leaks ? "This benchmark leaks" : board.audit.status === "fail" ? "Audited, with faults" : "Audited") : "Not audited"}</p></a></li>`;
    })}</ul>`;

  const Missing = () => html`<h1>There is no such page</h1><p><a href="#/">Go to the start.</a></p>`;

  const View = ({ site, path, query }) => {
    const alone = !path.length && site.boards.length === 1;
    const [what, id, part, name] = alone ? ["board", site.boards[0].id] : path;
    if (!what) return html`<${Boards} site=${site} />`;
    if (what === "reported") return html`<${Reported} site=${site} />`;
    if (what === "about") return html`<${About} />`;
    const board = what === "board" && site.boards.find((each) => each.id === id);
    if (!board) return html`<${Missing} />`;
    if (!part) return html`<${HB.BoardView} key=${id} board=${board} query=${query} path=${["board", id]} />`;
    if (part === "rows" && board.explorer) return html`<${HB.RowsView} key=${id} board=${board} query=${query} />`;
    const judge = part === "judge" && board.judges.find((each) => each.slug === name);
    return judge ? html`<${HB.JudgeView} key=${id + name} board=${board} judge=${judge} />` : html`<${Missing} />`;
  };

  const Nav = ({ site, path }) => {
    const here = (what) => (path[0] === what ? "page" : undefined);
    const link = (href, text, current) => html`<a href=${href} aria-current=${current}>${text}</a>`;
    return html`<header class="masthead"><a class="brand" href="#/">${site.title}</a><nav aria-label="Pages">
      ${site.boards.length > 1 ? html`<select aria-label="Benchmark" value=${path[0] === "board" ? path[1] : ""} onChange=${(event) => HB.go(event.target.value ? ["board", event.target.value] : [])}><option value="">All benchmarks</option>${site.boards.map((board) => html`<option key=${board.id} value=${board.id}>${board.name}</option>`)}</select>` : link("#/", "Ranking", !path[0] || here("board"))}
      ${site.reported.length > 0 && link("#/reported", "Reported", here("reported"))}${link("#/about", "How to read", here("about"))}<${HB.Theme} /></nav></header>`;
  };

  const App = ({ site }) => {
    const { path, query } = HB.useRoute();
    const main = useRef();
    const page = path.length || site.boards.length > 1 ? path.join("/") : `board/${site.boards[0].id}`;
    const first = useRef(true);
    useEffect(() => {
      const title = main.current.querySelector("h1")?.textContent;
      document.title = title && title !== site.title ? `${title} · ${site.title}` : site.title;
      if (first.current) first.current = false;
      else {
        scrollTo(0, 0);
        main.current.focus({ preventScroll: true });
      }
    }, [page]);
    const skip = (event) => { event.preventDefault(); main.current.focus(); };
    return html`<a class="skip" href="#main" onClick=${skip}>Skip to the content</a><${Nav} site=${site} path=${path} />
      <main id="main" tabindex="-1" ref=${main}><${View} site=${site} path=${path} query=${query} /></main>
      <footer>Measured figures only are ranked. Made by ${site.made_by}.</footer>`;
  };

  HB.load("site").then(
    (site) => {
      const root = document.getElementById("app");
      root.replaceChildren();
      render(html`<${App} site=${site} />`, root);
      document.documentElement.dataset.ready = "true";
    },
    () => document.documentElement.classList.add("plain"),
  );
})();
