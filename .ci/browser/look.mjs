// Opens reports as their readers would, and fails where one does not work.
//
//     npm ci --prefix .ci/browser
//     node .ci/browser/look.mjs REPORT.html... --out FOLDER
//
// Each report is opened at 360 and 1,440 pixels, light and dark. It fails on an error in the console, a request for anything but the file,
// a chart that is not drawn, a table that does not sort, samples that do not turn, a page that is wider than the screen, a contents list
// that leads nowhere, and what axe finds serious. What it saw is left as pictures in FOLDER.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
// the browser unpacks itself beside its package, and not where others may have left another one
process.env.TMPDIR = join(here, "node_modules", ".browser");
mkdirSync(process.env.TMPDIR, { recursive: true });
const { default: chromium } = await import("@sparticuz/chromium");
const { default: puppeteer } = await import("puppeteer-core");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const SCREENS = [
  { name: "phone", width: 360, height: 740 },
  { name: "desktop", width: 1440, height: 900 },
];
const SCHEMES = ["light", "dark"];

// Everything that is wrong with a page that is open, seen from within.
async function faults() {
  const found = [];
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > root.clientWidth + 1);
    const names = wide.slice(0, 3).map((element) => `${element.tagName}.${element.className}`);
    found.push(`the page is ${root.scrollWidth} pixels wide on a screen of ${root.clientWidth}: ${names.join(", ")}`);
  }
  const charts = [...document.querySelectorAll(".chart")];
  if (charts.length === 0) found.push("there is no chart");
  for (const chart of charts) {
    // where there is nothing, a row still has its value
    if (!chart.querySelector(".plot .mark, .plot .value")) found.push(`the chart ${chart.id} is not drawn`);
    if (!chart.querySelector(".row > title, .bin > title")) found.push(`the chart ${chart.id} says no values`);
    if (!chart.getAttribute("aria-label")) found.push(`the chart ${chart.id} has no words`);
    const edge = chart.getBoundingClientRect();
    for (const text of chart.querySelectorAll(".plot text")) {
      const box = text.getBoundingClientRect();
      if (box.width > 0 && (box.left < edge.left - 1 || box.right > edge.right + 1)) {
        found.push(`the chart ${chart.id} cuts off “${text.textContent}”`);
      }
    }
  }
  for (const table of document.querySelectorAll("table")) {
    const rows = () => [...table.tBodies[0].rows];
    if (rows().length < 2) continue;
    const head = table.tHead.rows[0].cells[0];
    const button = head.querySelector("button");
    if (!button) {
      found.push(`the table ${table.id} has no button to sort by`);
      continue;
    }
    const before = rows();
    const orders = [];
    for (let press = 0; press < 2; press += 1) {
      button.click();
      orders.push(head.getAttribute("aria-sort"));
      const keys = rows().map((row) => row.cells[0].dataset.value ?? row.cells[0].textContent.trim());
      const sorted = keys.slice().sort((one, other) => (head.classList.contains("number") ? one - other : one.localeCompare(other)));
      if (orders[press] === "descending") sorted.reverse();
      if (keys.join("\n") !== sorted.join("\n")) found.push(`the table ${table.id} does not sort ${orders[press]}`);
    }
    if (new Set(orders).size !== 2) found.push(`the table ${table.id} does not turn round`);
    table.tBodies[0].replaceChildren(...before);
    head.removeAttribute("aria-sort");
  }
  for (const pages of document.querySelectorAll(".pages")) {
    const shown = () => [...pages.querySelectorAll(":scope > article")].findIndex((page) => !page.hidden);
    const next = pages.querySelector(".turn button:last-child");
    if (!next) continue;
    const before = shown();
    next.click();
    if (shown() === before) found.push(`a page of “${pages.getAttribute("aria-label")}” does not turn`);
    next.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    if (shown() !== before) found.push(`the arrow keys do not turn “${pages.getAttribute("aria-label")}”`);
  }
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.hash.slice(1))) found.push(`${link.hash} leads nowhere`);
  }
  await pause(50);
  return found;
}

async function look(browser, file, screen, scheme, out) {
  const page = await browser.newPage();
  const found = [];
  page.on("console", (message) => { if (["error", "warn"].includes(message.type())) found.push(`console: ${message.text()}`); });
  page.on("pageerror", (error) => found.push(`error: ${error.message}`));
  const address = pathToFileURL(resolve(file)).href;
  page.on("request", (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith("data:") && !url.startsWith("blob:")) found.push(`asks for ${url}`);
  });
  await page.setViewport({ width: screen.width, height: screen.height, isMobile: screen.width < 500, hasTouch: screen.width < 500 });
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: scheme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  await page.goto(address, { waitUntil: "load" });
  // whatever can be opened is looked at
  const picture = (name) => join(out, `${basename(dirname(resolve(file)))}-${basename(file, ".html")}-${screen.name}-${scheme}${name}.png`);
  await new Promise((done) => setTimeout(done, 300));
  await page.screenshot({ path: picture("-top") });
  await page.screenshot({ path: picture(""), fullPage: true });
  await page.evaluate(() => document.querySelectorAll("main details").forEach((details) => { details.open = true; }));
  await new Promise((done) => setTimeout(done, 200));
  found.push(...(await page.evaluate(faults)));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, help, nodes } of violations) {
    const where = nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ");
    const line = `axe, ${impact}: ${id}, ${help} (${nodes.length}: ${where})`;
    if (["serious", "critical"].includes(impact)) found.push(line);
    else console.log(`  note: ${line}`);
  }
  await page.close();
  return found;
}

const words = process.argv.slice(2);
const at = words.indexOf("--out");
const out = at < 0 ? "pictures" : words.splice(at, 2)[1];
if (words.length === 0) {
  console.error("usage: node look.mjs REPORT.html... --out FOLDER");
  process.exit(2);
}
mkdirSync(out, { recursive: true });
chromium.setGraphicsMode = false;
const browser = await puppeteer.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: "shell" });
let faulty = 0;
for (const file of words) {
  for (const screen of SCREENS) {
    for (const scheme of SCHEMES) {
      const found = await look(browser, file, screen, scheme, out);
      faulty += found.length;
      console.log(`${found.length === 0 ? "good" : "BAD "} ${file}, ${screen.width} pixels, ${scheme}`);
      for (const line of new Set(found)) console.log(`  ${line}`);
    }
  }
}
await browser.close();
process.exit(faulty === 0 ? 0 : 1);
