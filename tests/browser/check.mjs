// Opens pages in Chromium and says what is wrong with them: node check.mjs FOLDER [SCREENSHOTS]
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [folder, shots] = process.argv.slice(2);
const pages = readdirSync(folder).filter((name) => name.endsWith(".html")).sort();
if (pages.length === 0) throw new Error(`${folder}: no page`);
if (shots) mkdirSync(shots, { recursive: true });

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});

// Everything that a page may be made of. An element or attribute that is not here came out of evidence.
const elements = new Set(
  ("html head meta title style body a div header p h1 h2 h3 h4 h5 dl dt dd nav ol ul li main section article span b strong " +
    "details summary table caption thead tbody tr th td pre code svg path circle text footer blockquote").split(" "),
);
const attributes = new Set(
  ("lang charset http-equiv content name class href id rel scope tabindex role open width height viewBox d cx cy r x y " +
    "aria-labelledby aria-label aria-hidden focusable").split(" "),
);

let wrong = 0;
const fail = (where, what) => {
  wrong += 1;
  console.error(`${where}: ${what}`);
};

async function open(name, options) {
  const context = await browser.newContext({ deviceScaleFactor: 1, ...options });
  const page = await context.newPage();
  const file = pathToFileURL(resolve(folder, name)).href;
  const told = [];
  page.on("console", (message) => told.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => told.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    told.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== file) told.push(`request: ${request.url().slice(0, 200)}`);
  });
  context.on("page", () => told.push("a second page"));
  await page.goto(file, { waitUntil: "load" });
  return { context, page, told };
}

// A picture from the top, of what a picture can hold.
async function picture(page, path) {
  if (!shots) return;
  const room = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: room.width, height: Math.min(height, 9000) });
  await page.screenshot({ path: join(shots, path), timeout: 120000 });
  await page.setViewportSize(room);
}

const openAll = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));

// The browser's own word on contrast, names, headings, tables, lists and keyboard.
async function accessible(page, where) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of result.violations) {
    const nodes = violation.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.failureSummary})`);
    fail(where, `axe: ${violation.id}: ${violation.help}: ${nodes.join("; ").replaceAll("\n", " ")}`);
  }
}

async function structure(page, where) {
  const found = await page.evaluate(() => {
    const elements = new Set();
    const attributes = new Set();
    const links = new Set();
    for (const element of document.querySelectorAll("*")) {
      elements.add(element.localName);
      for (const attribute of element.attributes) attributes.add(attribute.name);
      if (element.localName === "a") links.add(element.getAttribute("href"));
    }
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    const broken = [...links].filter((link) => link.startsWith("#") && !document.getElementById(link.slice(1)));
    return {
      elements: [...elements], attributes: [...attributes], links: [...links], broken,
      twice: ids.filter((id, at) => ids.indexOf(id) !== at), mode: document.compatMode,
    };
  });
  for (const element of found.elements) if (!elements.has(element)) fail(where, `element <${element}>`);
  for (const attribute of found.attributes) if (!attributes.has(attribute)) fail(where, `attribute ${attribute}`);
  for (const link of found.links) if (!/^(#[a-z0-9-]+|https?:\/\/[!-~]+)$/.test(link)) fail(where, `link ${link}`);
  for (const link of found.broken) fail(where, `link to nothing: ${link}`);
  for (const id of found.twice) fail(where, `id twice: ${id}`);
  if (found.mode !== "CSS1Compat") fail(where, "quirks mode");
}

// Everything that can be used is reached with Tab, in the order of the page, and shows that it is; Enter opens what is folded.
async function keyboard(page, where) {
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], summary, [tabindex='0']")];
    const reachable = all.filter((element) => element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }));
    reachable.forEach((element, at) => (element.dataset.at = String(at)));
    return reachable.length;
  });
  for (let at = 0; at < wanted; at += 1) {
    await page.keyboard.press("Tab");
    const [reached, outline] = await page.evaluate(() => {
      const element = document.activeElement;
      return [element?.dataset?.at, getComputedStyle(element).outlineStyle];
    });
    if (reached !== String(at)) return fail(where, `Tab ${at + 1} of ${wanted} reached ${reached}`);
    if (outline === "none") return fail(where, `Tab ${at + 1}: nothing shows where the focus is`);
  }
  await page.evaluate(() => document.querySelectorAll("[data-at]").forEach((element) => delete element.dataset.at));
  const folded = page.locator("details:not([open]) > summary").first();
  if ((await folded.count()) > 0) {
    const details = await folded.locator("..").elementHandle();
    await folded.focus();
    await page.keyboard.press("Enter");
    if (!(await details.evaluate((element) => element.open))) fail(where, "Enter does not open what is folded");
  }
  await page.evaluate(() => scrollTo(0, 0));
}

async function narrow(page, where) {
  const [width, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (width > room) {
    const widest = await page.evaluate(() => {
      const over = [...document.querySelectorAll("body *")].filter((element) => {
        const outside = element.getBoundingClientRect().right > innerWidth + 0.5;
        return outside && !element.parentElement.closest(".scroll, pre") && !element.matches(".skip");
      });
      return over.slice(0, 3).map((element) => `${element.localName}.${element.className} ${element.textContent.slice(0, 60)}`);
    });
    fail(where, `${width} px wide where there are ${room}: ${widest.join("; ")}`);
  }
}

// On paper everything is open, and nothing is cut off at the right.
async function paper(page, where, name) {
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const hidden = await page.evaluate(
    () => [...document.querySelectorAll("details > .inside")].filter((inside) => inside.getBoundingClientRect().height === 0).length,
  );
  if (hidden > 0) fail(where, `${hidden} folded parts are not printed`);
  const dark = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--paper").trim());
  if (dark !== "#fcfcfa") fail(where, `printed on ${dark}`);
  const pdf = await page.pdf({ format: "A4", path: shots ? join(shots, `${name}.pdf`) : undefined, preferCSSPageSize: true });
  const sheets = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
  if (sheets === 0) fail(where, "no sheet of paper");
}

for (const name of pages) {
  const stem = basename(name, ".html");
  for (const [width, height] of [[1280, 900], [360, 740]]) {
    for (const colorScheme of ["light", "dark"]) {
      const where = `${name}, ${colorScheme}, ${width} px`;
      const { context, page, told } = await open(name, { viewport: { width, height }, colorScheme });
      await picture(page, `${stem}-${colorScheme}-${width}.png`);
      await structure(page, where);
      await narrow(page, where);
      await accessible(page, where);
      if (colorScheme === "light") await keyboard(page, where);
      await openAll(page);
      await narrow(page, `${where}, opened`);
      await accessible(page, `${where}, opened`);
      await picture(page, `${stem}-${colorScheme}-${width}-open.png`);
      told.forEach((line) => fail(where, line));
      await context.close();
    }
  }
  const { context, page, told } = await open(name, { viewport: { width: 1280, height: 900 } });
  await paper(page, `${name}, on paper`, stem);
  told.forEach((line) => fail(`${name}, on paper`, line));
  await context.close();
  console.log(`${name}: looked at`);
}
await browser.close();
console.log(`${pages.length} pages, ${wrong} complaints`);
process.exit(wrong === 0 ? 0 : 1);
