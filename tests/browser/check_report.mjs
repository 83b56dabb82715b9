// Checks of the report in Chromium: node check_report.mjs REPORT MODULES [CHROMIUM]
// REPORT is results/report.html of a run, MODULES a folder with axe-core and playwright-core.
// Prints one line per finding and exits with 1 if there is any.
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [report, modules, chromium = "/usr/bin/chromium"] = process.argv.slice(2);
const require = createRequire(resolve(modules, "node_modules") + "/");
const browser = await require("playwright-core").chromium.launch({
  executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"],
});
const findings = [];
const say = (text) => findings.push(text);
const MOST_BYTES = 5_000_000;

async function opened(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) { say(`external request: ${request.url()}`); }
  });
  page.on("pageerror", (error) => say(`script: ${error.message}`));
  page.on("console", (line) => { if (line.type() === "error") { say(`console: ${line.text()}`); } });
  await page.goto(pathToFileURL(resolve(report)).href);
  return page;
}

async function accessible(colorScheme, width) {
  const page = await opened({ colorScheme, viewport: { width, height: 900 } });
  const where = `${colorScheme}, ${width} px`;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) { say(`${where}: the page is ${wide} px wider than the window`); }
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const v of violations) {
    const text = `${where}: axe ${v.impact} ${v.id}, ${v.nodes.length} places, ${v.help}: ${v.nodes[0].target}`;
    if (["serious", "critical"].includes(v.impact)) { say(text); } else { console.log(`note: ${text}`); }
  }
  await page.context().close();
}

async function links(page) {
  const { broken, beside, outside } = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"));
    const own = all.filter((h) => h.startsWith("#"));
    return {
      broken: own.filter((h) => !document.getElementById(decodeURIComponent(h.slice(1)))),
      beside: all.filter((h) => !/^(#|[a-z]+:)/.test(h)),
      outside: [...document.querySelectorAll("[src], link[href], use, image")].map((e) =>
        e.getAttribute("src") || e.getAttribute("href") || e.getAttribute("xlink:href") || "")
        .filter((h) => h && !/^(#|data:)/.test(h)),
    };
  });
  for (const href of new Set(broken)) { say(`link to nothing in the page: ${href}`); }
  for (const href of new Set(beside)) {
    if (!existsSync(resolve(dirname(report), href))) { say(`link to a file that is not there: ${href}`); }
  }
  for (const href of new Set(outside)) { say(`loads something from elsewhere: ${href}`); }
}

async function seen(page, target, what) {
  const box = await page.evaluate((id) => {
    const row = document.getElementById(id), r = row && row.getBoundingClientRect();
    return r && { shown: r.height > 0 && r.bottom > 0 && r.top < innerHeight, hash: location.hash };
  }, target);
  if (!box || !box.shown) { say(`${what} does not lead to ${target}`); }
}

async function fromSquareToCell(page) {
  const squares = await page.$$eval('svg a[href^="#effect-"]', (all) => all.length);
  const effects = await page.$$eval('tr[id^="effect-"]', (all) => all.length);
  if (!effects) { return console.log("no study has a size: there is no square to follow"); }
  if (!squares) { return say("no square of a figure leads to its effect"); }
  const square = page.locator('article figure svg a[href^="#effect-"]').first();
  const effect = (await square.getAttribute("href")).slice(1);
  await square.dispatchEvent("click");
  await page.waitForTimeout(500);
  await seen(page, effect, "a square");
  const cell = page.locator(`[id="${effect}"] td.cells a`).first();
  const row = (await cell.getAttribute("href")).slice(1);
  await cell.click();
  await page.waitForTimeout(500);
  await seen(page, row, "a cell of an effect");
  console.log(`${squares} squares; ${effect} led to ${row}`);
}

async function sortedAndFiltered(page) {
  const table = page.locator("#studies table.sortable").first();
  const year = () => table.locator("tbody tr th").allTextContents();
  const before = await year(), button = table.locator("thead th button").first();
  await button.click();
  const up = await year();
  await button.click();
  const down = await year();
  const order = (a, b) => a.localeCompare(b, "en", { numeric: true });
  if (String(up) !== String([...before].sort(order))) { say("a table does not sort upwards"); }
  if (order(down[0], down[down.length - 1]) < 0) { say("a table does not sort downwards"); }
  const sorted = await table.locator("thead th").first().getAttribute("aria-sort");
  if (sorted !== "descending") { say(`a sorted table says aria-sort ${sorted}`); }
  const input = page.locator("#studies .filter input").first();
  if (!(await input.count())) { return console.log("the table of studies is too short to filter"); }
  await input.fill(before[0]);
  const left = await table.locator("tbody tr:visible").count();
  const told = await page.locator("#studies .filter [role=status]").first().textContent();
  if (left < 1 || left >= before.length) { say(`the filter leaves ${left} of ${before.length} rows`); }
  if (told !== `${left} of ${before.length} rows`) { say(`the filter says '${told}'`); }
}

// The numbers of all sets and choices: tests/report/test_explore.py.
async function explored(page) {
  const box = page.locator("details.explore").first();
  if (!(await box.count())) { return console.log("no set of several studies: nothing to explore"); }
  await box.locator("summary").press("Enter");
  const status = box.locator("[role=status]"), published = box.locator("tr.published");
  const before = await status.textContent(), stands = await published.textContent();
  await box.locator("input").first().press("Space");
  await box.locator("select").last().selectOption("wald");
  const after = await status.textContent(), [ours, theirs] = after.split(" Published: ");
  if (!ours.startsWith("With your choices") || !before.endsWith(theirs)) { say(`choices give '${after}'`); }
  if ((await published.textContent()) !== stands) { say("a choice changes the published result"); }
  if ((await box.locator("tr.out").count()) < 1) { say("a study left out keeps its weight"); }
  const label = await box.locator("tr.chosen").textContent();
  if (!label.includes("Wald")) { say(`the row of choices says '${label}'`); }
  await page.emulateMedia({ media: "print" });
  if (await box.isVisible()) { say("what a reader explores is printed"); }
  await page.emulateMedia({ media: null });
  await box.locator("button").press("Enter");
  if ((await status.textContent()) !== before) { say("reset does not lead back to the published choices"); }
}

const size = statSync(report).size;
if (size > MOST_BYTES) { say(`the report has ${size} bytes, at most ${MOST_BYTES} are meant`); }
for (const [scheme, width] of [["light", 1280], ["dark", 1280], ["light", 390]]) {
  await accessible(scheme, width);
}
const page = await opened({ viewport: { width: 1280, height: 900 } });
await links(page);
await sortedAndFiltered(page);
await fromSquareToCell(page);
await explored(page);
const print = await page.pdf({ format: "A4", path: process.env.PRINT_TO });
if (print.length < 10_000) { say("the printed report is empty"); }
await browser.close();
findings.forEach((text) => console.log(`FINDING ${text}`));
console.log(`${report}: ${size} bytes, printed ${print.length} bytes, ${findings.length} findings`);
process.exit(findings.length ? 1 : 0);
