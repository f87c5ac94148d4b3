"use strict";
const $ = (id) => document.getElementById(id);
let row = null;
let span = "";
let busy = false;

async function ask(path, body) {
  if (busy) return;
  busy = true;
  document.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  try {
    const reply = await fetch(path, body === undefined ? {} : {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await reply.json();
    if (!reply.ok) throw new Error(told.error || reply.statusText);
    $("error").hidden = true;
    show(told);
  } catch (error) {
    $("error").textContent = `${error.message}. Nothing that you decided is lost.`;
    $("error").hidden = false;
  } finally {
    busy = false;
    document.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  }
}

function show(state) {
  row = state.row;
  $("reviewer").textContent = state.reviewer;
  $("count").textContent = `${state.done} of ${state.total}`;
  $("progress").max = state.total;
  $("progress").value = state.done;
  $("row").hidden = row === null;
  $("end").hidden = row !== null;
  mark("");
  $("note").value = "";
  if (row === null) return;
  $("passage").replaceChildren(...blocks(row.passage));
  $("passage").scrollTop = 0;
  $("question").textContent = row.question;
  $("answer").textContent = row.answer;
  document.activeElement.blur();
}

// Prose as it stands; rows of a table that is written with bars become a table. Text only, never HTML.
function blocks(passage) {
  const found = [];
  let kind = null;
  for (const line of passage.split("\n")) {
    const next = /^\s*\|.*\|\s*$/.test(line) ? "table" : "div";
    if (next !== kind) found.push(document.createElement(kind = next));
    const block = found[found.length - 1];
    if (next === "div") block.append(`${line}\n`);
    else if (/[^\s|:-]/.test(line)) block.append(cells(line));
  }
  return found.filter((block) => block.tagName === "TABLE" || block.textContent.trim());
}

function cells(line) {
  const tr = document.createElement("tr");
  for (const text of line.trim().slice(1, -1).split("|")) {
    const td = document.createElement("td");
    td.textContent = text.trim();
    td.className = /^[($\u20ac\u00a3]*-?[\d.,]+[%)]*$/.test(td.textContent) ? "number" : "";
    tr.append(td);
  }
  return tr;
}

function mark(text) {
  span = text;
  $("span").hidden = !text;
  $("span-hint").hidden = Boolean(text);
  $("span").replaceChildren("Wrong: ", Object.assign(document.createElement("b"), { textContent: text }));
}

function decide(opinion) {
  if (row) ask("/decide", { id: row.id, opinion, span, note: $("note").value.trim() });
}

document.addEventListener("selectionchange", () => {
  const chosen = document.getSelection();
  if (chosen.rangeCount && !chosen.isCollapsed && $("answer").contains(chosen.anchorNode)
      && $("answer").contains(chosen.focusNode)) mark(chosen.toString().trim());
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === $("note")) {
    if (event.key === "Escape") $("note").blur();
    return;
  }
  const key = event.key.toLowerCase();
  const opinions = { p: "PASS", f: "FAIL", u: "unclear" };
  if (key in opinions) decide(opinions[key]);
  else if (key === "z") ask("/undo", {});
  else if (key === "n") $("note").focus();
  else return;
  event.preventDefault();
});

for (const opinion of ["PASS", "FAIL", "unclear"]) $(opinion).addEventListener("click", () => decide(opinion));
for (const id of ["undo", "undo-end"]) $(id).addEventListener("click", () => ask("/undo", {}));
ask("/state");
