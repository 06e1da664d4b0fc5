"use strict";

// A person asks a question; the answer is shown with the passages that it was written from. The question stays in the address, so that it can be
// sent to others; a key stays on the page.

const $ = (id) => document.getElementById(id);

let running = null;

function show(id, text) {
  $(id).textContent = text ?? "";
  $(id).hidden = !text;
}

// A text in which an answer is marked, wherever it stands.
function marked(text, answer) {
  const parts = [];
  const wanted = answer.trim().replace(/[.\s]+$/, "").toLowerCase();
  const lower = text.toLowerCase();
  let from = 0;
  // letters whose other case is longer would shift what follows
  while (wanted && lower.length === text.length) {
    const at = lower.indexOf(wanted, from);
    if (at < 0) break;
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + wanted.length);
    parts.push(text.slice(from, at), mark);
    from = at + wanted.length;
  }
  parts.push(text.slice(from));
  return parts;
}

function card(passage, answer) {
  const item = document.createElement("li");
  const title = document.createElement("h3");
  title.textContent = passage.title || passage.document || passage.id;
  const share = document.createElement("p");
  share.className = "soft";
  const percent = Math.round(100 * passage.share);
  share.textContent = `${passage.id} · score ${passage.score.toFixed(3)} · share ${percent} %`;
  const bar = document.createElement("span");
  bar.className = "share";
  bar.setAttribute("aria-hidden", "true");
  const filled = document.createElement("i");
  filled.style.width = `${percent}%`;
  bar.append(filled);
  const text = document.createElement("p");
  text.className = "text";
  text.append(...marked(passage.text, answer));
  item.append(title, share, bar, text);
  return item;
}

function shown(given) {
  $("asked").textContent = given.query;
  $("answer").textContent = given.answer || "The model wrote nothing.";
  $("cut").hidden = !given.cut;
  $("none").hidden = given.passages.length > 0;
  $("passages").replaceChildren(...given.passages.map((passage) => card(passage, given.answer)));
  $("given").hidden = false;
  $("answer-title").focus();
}

async function ask() {
  running?.abort();
  const own = (running = new AbortController());
  const body = { query: $("query").value };
  if ($("k").value !== "") body.k = Number($("k").value);
  if ($("as").value) body.as = $("as").value;
  const headers = { "Content-Type": "application/json" };
  if ($("key").value) headers.Authorization = `Bearer ${$("key").value}`;
  show("fault");
  $("given").hidden = true;
  $("ask").disabled = true;
  $("said").textContent = "The model is writing an answer …";
  try {
    const response = await fetch("/v1/answers", { method: "POST", headers, body: JSON.stringify(body), signal: own.signal, cache: "no-store" });
    const given = await response.json();
    if (response.ok) {
      shown(given);
      $("said").textContent = "";
    } else {
      if (response.status === 401) {
        $("key-box").hidden = false;
        $("key").focus();
      }
      $("said").textContent = "";
      show("fault", given?.error?.message ?? `the server answered ${response.status}`);
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    $("said").textContent = "";
    show("fault", "The server does not answer. Ask again when it is back.");
  } finally {
    if (running === own) $("ask").disabled = false;
  }
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const address = new URL(location);
  address.searchParams.set("q", $("query").value);
  history.replaceState(null, "", address);
  ask();
});

// Enter asks, and with Shift begins a line.
$("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("form").requestSubmit();
  }
});

const asked = new URL(location).searchParams.get("q");
if (asked) {
  $("query").value = asked;
  ask();
} else {
  $("query").focus();
}
