"use strict";

// A labeler sees one item after the other. What is entered is kept in the browser until the server has said that it is saved; where the
// server is gone, the same is asked again until it is back: it takes a judgment that comes twice as one.

const $ = (id) => document.getElementById(id);
const NAME = "tamis-label-name";
const DRAFT = "tamis-label-draft";
const AGAIN = 2000; // milliseconds until a server that is gone is asked again
const WRITING = 700; // until answers that are being written are asked for again
const LONGEST = 20000; // after which a request counts as lost

const state = {
  name: "",
  kind: "",
  // what is on the page: an item of the server
  item: null,
  // a rank for each answer, in the order in which they are shown; null where there is none
  ranks: [],
  // the last judgment that can be undone
  last: null,
  // the number of the current way through `load`: one that was overtaken ends
  turn: 0,
  isBusy: false,
};

// What the browser keeps: it may be forbidden to.
const kept = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* it is only on the page then */ } },
  remove(key) { try { localStorage.removeItem(key); } catch { /* there is nothing */ } },
};

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// What the server says no to: a code of 500 and above is a fault of its own.
class Refused extends Error {
  constructor(message, code) {
    super(message);
    this.status = code;
    this.isFault = code >= 500;
  }
}

// Asks the server once; none where it cannot be reached.
async function askOnce(path, body) {
  const options = { signal: AbortSignal.timeout(LONGEST), cache: "no-store" };
  if (body) Object.assign(options, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  let response;
  let answer;
  try {
    response = await fetch(path, options);
    answer = await response.json();
  } catch {
    return null;
  }
  if (!response.ok) throw new Refused(answer?.error?.message ?? `the server answered ${response.status}`, response.status);
  return answer;
}

// Asks the server until it answers.
async function ask(path, body) {
  for (;;) {
    const answer = await askOnce(path, body);
    if (answer) {
      if (!$("gone").hidden) say("The server is back.");
      $("gone").hidden = true;
      return answer;
    }
    alarm("The server does not answer. What you have entered is kept here, and this page goes on when it is back.");
    await pause(AGAIN);
  }
}

// Says what stands in the way until something is answered again.
function alarm(text) {
  if (!$("gone").hidden && $("gone").textContent === text) return;
  $("gone").textContent = text;
  $("gone").hidden = false;
}

function say(text) {
  // the same words twice are said twice
  $("said").textContent = "";
  requestAnimationFrame(() => { $("said").textContent = text; });
}

// Does one thing at a time; what the server refuses is said.
async function busily(work) {
  if (state.isBusy) return;
  state.isBusy = true;
  buttons();
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.isFault) alarm(`The server has failed: ${error.message}`);
    else say(`That was refused: ${error.message}.`);
  } finally {
    state.isBusy = false;
    buttons();
  }
}

const letter = (place) => String.fromCharCode(65 + place);
const isRanking = () => state.kind === "rankings";
const isComplete = () => (isRanking() ? state.ranks.every((rank) => rank !== null) : $("text").value.trim() !== "");

function buttons() {
  $("save").disabled = state.isBusy || !state.item || !isComplete();
  $("skip").disabled = state.isBusy || !state.item;
  for (const id of ["undo", "undo-done"]) $(id).disabled = state.isBusy || state.last === null;
}

function showOnly(section) {
  for (const id of ["name-form", "work", "waiting", "done"]) $(id).hidden = id !== section;
  $("who").hidden = section === "name-form";
  $("progress-box").hidden = section === "name-form";
}

// ---- items

// Goes on with the labeler's next item, once it has answers.
async function load() {
  state.turn += 1;
  const turn = state.turn;
  state.item = null;
  for (;;) {
    const next = await ask(`/api/next?labeler=${encodeURIComponent(state.name)}`);
    if (turn !== state.turn) return;
    state.last = next.last;
    setKind(next.kind);
    if (next.state === "item") return show(next.item);
    showOnly(next.state === "done" ? "done" : "waiting");
    buttons();
    if (next.state === "done") {
      $("done-title").focus();
      return;
    }
    await pause(WRITING);
    if (turn !== state.turn) return;
  }
}

function setKind(kind) {
  state.kind = kind;
  $("title").textContent = isRanking() ? "Rank the answers" : "Write an answer";
  document.title = `${$("title").textContent} · labels`;
  $("save-key").textContent = isRanking() ? "Enter" : "Ctrl+Enter";
  $("rankings").hidden = !isRanking();
  $("demonstrations").hidden = isRanking();
}

// Shows an item, with what was entered for it before: given, or kept by the browser.
function show(item, given) {
  state.item = item;
  const draft = kept.get(draftOf(item));
  const before = given ?? (draft && draft.prompt === item.prompt ? draft : {});
  const isFitting = Array.isArray(before.ranks) && before.ranks.length === item.answers.length;
  state.ranks = isFitting ? before.ranks : item.answers.map(() => null);
  $("text").value = typeof before.text === "string" ? before.text : "";
  $("prompt-id").textContent = item.id;
  setText($("prompt"), item.prompt);
  $("cards").replaceChildren(...item.answers.map(card));
  state.ranks.forEach((rank, place) => mark(place));
  showOnly("work");
  buttons();
  if (isRanking()) focusCard(0);
  else $("text").focus();
  window.scrollTo(0, 0);
}

function setText(element, text) {
  element.classList.toggle("empty", text.trim() === "");
  element.textContent = text.trim() === "" ? "(nothing)" : text;
}

function keepDraft() {
  const { item, ranks } = state;
  if (item) kept.set(draftOf(item), { prompt: item.prompt, ranks, text: $("text").value });
}

// What was entered for an item by a labeler is kept apart from what was entered for others, in this tab and in others.
function draftOf(item) {
  return `${DRAFT}:${state.name}:${item.number}`;
}

// ---- ranking

function card(text, place) {
  const entry = document.createElement("li");
  const box = document.createElement("article");
  box.className = "card";
  box.tabIndex = place === 0 ? 0 : -1;
  const title = document.createElement("h3");
  title.id = `answer-${place}`;
  title.textContent = letter(place);
  const said = document.createElement("div");
  said.className = "text";
  setText(said, text);
  const ranks = document.createElement("div");
  ranks.className = "ranks";
  ranks.setAttribute("role", "group");
  ranks.setAttribute("aria-label", `Rank of answer ${letter(place)}`);
  const word = document.createElement("span");
  word.className = "soft";
  word.textContent = "Rank";
  ranks.append(word, ...state.ranks.map((_, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.textContent = number + 1;
    button.addEventListener("click", () => { rank(place, number + 1); focusCard(place); });
    return button;
  }));
  box.append(title, said, ranks);
  box.addEventListener("focusin", () => rove(place));
  entry.append(box);
  return entry;
}

const boxes = () => [...document.querySelectorAll(".card")];
const focused = () => boxes().findIndex((box) => box.tabIndex === 0);

// One card at a time is reached by the Tab key, with its buttons.
function rove(place) {
  boxes().forEach((box, other) => {
    box.tabIndex = other === place ? 0 : -1;
    box.querySelectorAll("button").forEach((button) => { button.tabIndex = other === place ? 0 : -1; });
  });
}

function focusCard(place) {
  const all = boxes();
  if (all.length === 0) return;
  const box = all[Math.min(Math.max(place, 0), all.length - 1)];
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "nearest" });
}

function rank(place, number) {
  state.ranks[place] = number;
  mark(place);
  keepDraft();
  buttons();
  const left = state.ranks.filter((other) => other === null).length;
  const more = left > 0 ? `${left} without a rank` : "all have a rank: Enter saves";
  say(number === null ? `Answer ${letter(place)} has no rank, ${more}` : `Answer ${letter(place)}: rank ${number}, ${more}`);
}

function mark(place) {
  const box = boxes()[place];
  const number = state.ranks[place];
  box.setAttribute("aria-label", `Answer ${letter(place)}, ${number === null ? "no rank" : `rank ${number}`}`);
  box.querySelectorAll("button").forEach((button, other) => button.setAttribute("aria-pressed", String(other + 1 === number)));
}

// ---- what a labeler does

async function save() {
  if (!state.item) return;
  if (!isComplete()) {
    say(isRanking() ? "Not saved yet: every answer needs a rank." : "Not saved yet: there is no answer.");
    return;
  }
  const answer = isRanking() ? { ranks: state.ranks } : { text: $("text").value };
  await judge(answer, `Saved: ${isRanking() ? state.ranks.map((rank, place) => `${letter(place)} ${rank}`).join(", ") : "your answer"}.`);
}

async function judge(answer, saved) {
  await busily(async () => {
    keepDraft();
    const draft = draftOf(state.item);
    try {
      await ask("/api/judge", { labeler: state.name, item: state.item.number, ...answer });
    } catch (error) {
      // judged in another window: ranks are soon given again, but a text that was written stays where it is
      if (!(error instanceof Refused) || error.status !== 409 || !isRanking()) throw error;
      kept.remove(draft);
      progress();
      await load();
      say(`Not saved: ${error.message}.`);
      return;
    }
    kept.remove(draft);
    say(saved);
    progress();
    await load();
  });
}

async function undo() {
  if (state.last === null) {
    say("There is nothing to undo.");
    return;
  }
  await busily(async () => {
    state.turn += 1;
    let undone;
    try {
      undone = await ask("/api/undo", { labeler: state.name, judgment: state.last });
    } catch (error) {
      // where the answer was lost on its way, it is undone by now
      if (error instanceof Refused) await load();
      throw error;
    }
    const next = await ask(`/api/next?labeler=${encodeURIComponent(state.name)}`);
    state.last = next.last;
    progress();
    say(undone.skip ? `Undone: it was skipped as “${undone.skip}”.` : "Undone. It can be judged anew.");
    if (undone.item) show(undone.item, { ranks: undone.ranks, text: undone.text });
    else await load();
    keepDraft();
  });
}

const REASONS = {
  rankings: ["unclear", "harmful", "cannot tell", "answers are broken", "other"],
  demonstrations: ["unclear", "harmful", "cannot tell", "other"],
};

function openSkip() {
  if (!state.item || state.isBusy) return;
  const legend = $("reasons").querySelector("legend");
  $("reasons").replaceChildren(legend, ...REASONS[state.kind].map((reason, place) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "reason", value: reason, checked: place === 0 });
    label.append(radio, reason);
    return label;
  }));
  $("other").value = "";
  $("skip-fault").hidden = true;
  otherShown();
  $("skip-dialog").showModal();
  $("reasons").querySelector("input").focus();
}

const chosen = () => $("skip-form").elements.reason.value;

function otherShown() {
  const isOther = chosen() === "other";
  $("other").hidden = !isOther;
  $("other-label").hidden = !isOther;
}

async function skip(event) {
  event.preventDefault();
  const words = $("other").value.trim();
  if (chosen() === "other" && words === "") {
    $("skip-fault").textContent = "Say in a few words what it is.";
    $("skip-fault").hidden = false;
    $("other").focus();
    return;
  }
  const reason = chosen() === "other" ? `other: ${words}` : chosen();
  $("skip-dialog").close();
  await judge({ skip: reason }, `Skipped: ${reason}.`);
}

// ---- keys

const KEYS = {
  rankings: [
    ["1 to 9", "the rank of the answer in focus; equal numbers are ties"],
    ["0", "takes its rank away"],
    ["↓ ↑ or j k", "the next answer, the one before"],
    ["Enter", "saves, once every answer has a rank"],
    ["u", "undoes the last judgment"],
    ["s", "skips the prompt, with a reason"],
    ["?", "these keys"],
  ],
  demonstrations: [
    ["Ctrl+Enter", "saves"],
    ["Esc", "leaves the text, so that the other keys are heard"],
    ["u", "undoes the last one"],
    ["s", "skips the prompt, with a reason"],
    ["?", "these keys"],
  ],
};

function openKeys() {
  $("keys").replaceChildren(...KEYS[state.kind || "rankings"].flatMap(([key, does]) => {
    const name = document.createElement("dt");
    const box = document.createElement("kbd");
    box.textContent = key;
    name.append(box);
    const words = document.createElement("dd");
    words.textContent = does;
    return [name, words];
  }));
  $("keys-dialog").showModal();
}

function onKey(event) {
  if ($("skip-dialog").open || $("keys-dialog").open || event.isComposing) return;
  const isOpen = !$("work").hidden;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && isOpen && !isRanking()) {
    event.preventDefault();
    save();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea")) {
    if (event.key === "Escape" && event.target.id === "text") $("skip").focus();
    return;
  }
  // whoever is on a button presses that
  if (event.target.closest("button, a") && ["Enter", " "].includes(event.key)) return;
  const ranking = isOpen && isRanking() && !state.isBusy;
  const move = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const isDone = !$("done").hidden;
  if (ranking && move) focusCard(focused() + move);
  else if (ranking && /^[1-9]$/.test(event.key) && Number(event.key) <= state.ranks.length) rank(focused(), Number(event.key));
  else if (ranking && /^[1-9]$/.test(event.key)) say(`Ranks go from 1 to ${state.ranks.length}.`);
  else if (ranking && event.key === "0") rank(focused(), null);
  else if (ranking && event.key === "Enter") save();
  else if (event.key === "u" && (isOpen || isDone)) undo();
  else if (event.key === "s" && isOpen) openSkip();
  else if (event.key === "?" && state.name) openKeys();
  else return;
  event.preventDefault();
}

// ---- progress, and who is labeling

const percent = (share) => `${(100 * share).toFixed(0)} %`;

async function progress() {
  let found;
  try {
    // not waited for: whatever else is asked says when the server is gone
    found = await askOnce("/api/progress");
  } catch {
    return;
  }
  if (!found) return;
  const own = found.labelers.find((labeler) => labeler.name === state.name);
  const skipped = own ? Object.values(own.skipped).reduce((sum, count) => sum + count, 0) : 0;
  const tiles = [
    [`${found.done} of ${found.prompts}`, "prompts done"],
    [`${own ? own.judged : 0}`, `by you${skipped > 0 ? `, ${skipped} skipped` : ""}`],
  ];
  if (found.kind === "rankings") {
    const { share, interval, pairs } = found.agreement ?? {};
    tiles.push(found.agreement
      ? [percent(share), `agreement on ${pairs} pairs (${percent(interval[0])} to ${percent(interval[1])})`]
      : ["–", "agreement: no two have ranked the same answers yet"]);
  }
  $("bar").max = Math.max(found.prompts, 1);
  $("bar").value = found.done;
  $("tiles").replaceChildren(...tiles.map(([number, what]) => {
    const tile = document.createElement("li");
    const strong = document.createElement("b");
    strong.textContent = number;
    tile.append(strong, ` ${what}`);
    return tile;
  }));
}

async function begin(name) {
  state.name = name;
  kept.set(NAME, name);
  $("name-shown").textContent = name;
  progress();
  // what is still on its way for another name comes to its end first
  state.turn += 1;
  while (state.isBusy) await pause(50);
  await busily(async () => {
    try {
      await load();
    } catch (error) {
      if (error instanceof Refused && !error.isFault) askName();
      throw error;
    }
  });
}

function askName() {
  state.turn += 1;
  state.item = null;
  showOnly("name-form");
  $("name").value = state.name;
  $("name").focus();
}

$("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (name === "") return say("A name is wanted.");
  return begin(name);
});
$("change-name").addEventListener("click", askName);
$("show-keys").addEventListener("click", openKeys);
$("keys-close").addEventListener("click", () => $("keys-dialog").close());
$("save").addEventListener("click", save);
$("skip").addEventListener("click", openSkip);
$("undo").addEventListener("click", undo);
$("undo-done").addEventListener("click", undo);
$("text").addEventListener("input", () => { keepDraft(); buttons(); });
$("skip-form").addEventListener("submit", skip);
$("skip-form").addEventListener("change", otherShown);
$("skip-cancel").addEventListener("click", () => $("skip-dialog").close());
$("skip-dialog").addEventListener("close", () => { if (state.item && isRanking()) focusCard(focused()); });
document.addEventListener("keydown", onKey);

const before = kept.get(NAME);
if (typeof before === "string" && before !== "") begin(before);
else askName();
