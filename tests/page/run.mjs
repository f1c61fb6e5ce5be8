// Drives the page of `copydesk serve` in Chromium, by keyboard alone.
//
//     node run.mjs COPYDESK SCREENSHOTS
//
// COPYDESK is the binary, or the address of a server that runs already; it needs to know nothing. CHROMIUM names another browser
// than /usr/bin/chromium.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const START_MS = 60_000;
const SHORT_MS = 10_000;

const [program, screenshots] = process.argv.slice(2);
if (!program || !screenshots) {
  console.error("usage: node run.mjs COPYDESK SCREENSHOTS");
  process.exit(2);
}
mkdirSync(screenshots, { recursive: true });

const SPAM = {
  text: "Claim 200 free spins today and a welcome bonus with no deposit! Register at https://lucky-harbour.example/bonus before midnight.",
  author: "Best Casino Bonus",
  url: "https://lucky-harbour.example/bonus",
  email: "promo@lucky-harbour.example",
};
/** Another, for after the first was marked as not spam. */
const ADVERT = {
  text: "Buy cheap pills online without prescription! Best prices, fast delivery: http://cheap-pills.example/order",
  author: "Online Pharmacy",
  url: "http://cheap-pills.example",
};
const GENUINE = {
  text: "I cycle over that bridge every morning. The new lane helps, but the lights at the north end still change far too quickly.",
  author: "Marta",
};
const ARTICLE = [
  "The city council voted 7 to 2 on Monday to close the Harbour Bridge to lorries from May until October.",
  "Finally! In my view this should have happened years ago, and the two who voted against it ought to explain themselves.",
  "“We are not against lorries,” said the mayor, Ines Falk. “We are for people who want to sleep.”",
  "Claim 200 free spins today and a welcome bonus with no deposit at lucky-harbour.example!",
];

/** Starts the server on a free port and gives its address. */
async function start() {
  if (program.startsWith("http")) return { address: program, stop() {} };
  const folder = mkdtempSync(join(tmpdir(), "copydesk-page-"));
  const args = ["serve", "--listen", "127.0.0.1:0", "--store", join(folder, "store.db"), "--model", "fast"];
  const server = spawn(resolve(program), args, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
  const stop = () => {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  let said = "";
  const address = await new Promise((found, failed) => {
    const timer = setTimeout(() => failed(new Error(`no address within ${START_MS} ms: ${said}`)), START_MS);
    const listen = (bytes) => {
      said += bytes;
      const match = /(?:http:\/\/)?(127\.0\.0\.1:\d*[1-9])\b/.exec(said);
      if (match) {
        clearTimeout(timer);
        found(`http://${match[1]}/`);
      }
    };
    server.stdout.on("data", listen);
    server.stderr.on("data", listen);
    server.on("error", failed);
    server.on("exit", (status) => failed(new Error(`the server ended with ${status}: ${said}`)));
  }).catch((error) => {
    stop();
    throw error;
  });
  return { address, stop };
}

/** Moves on with Tab until an element has the focus, and asserts that one sees it. */
async function tabTo(page, selector) {
  for (let pressed = 0; pressed < 120; pressed += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) {
      const outline = await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        return `${style.outlineStyle} ${style.outlineWidth}`;
      });
      assert.match(outline, /^(solid|auto) [1-9]/, `${selector} does not show that it has the focus`);
      return;
    }
    await page.keyboard.press("Tab");
  }
  assert.fail(`${selector} cannot be reached with Tab`);
}

async function type(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

/** The text of a live region once it matches. */
async function announced(page, selector, pattern) {
  const region = page.locator(selector);
  assert.ok(["status", "alert"].includes(await region.getAttribute("role")), `${selector} is no live region`);
  await page.waitForFunction(
    ([wanted, source]) => new RegExp(source, "i").test(document.querySelector(wanted).textContent),
    [selector, pattern.source],
    { timeout: SHORT_MS },
  );
  return region.textContent();
}

async function judge(page, comment) {
  await page.evaluate(() => document.getElementById("comment-answer").replaceChildren());
  await type(page, "#comment-text", comment.text);
  await type(page, "#comment-author", comment.author ?? "");
  await type(page, "#comment-url", comment.url ?? "");
  await type(page, "#comment-email", comment.email ?? "");
  await tabTo(page, "#comment-form button");
  await page.keyboard.press("Enter");
  const said = await announced(page, "#comment-answer", /score 0\.\d|score 1\.0/);
  assert.match(said, /Score \d\.\d{3} · \S/, "a verdict has a score and a reason");
  return said;
}

let checks = 0;

async function check(page, where) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations", "passes"] }));
  for (const { id, help, nodes } of violations) {
    console.error(`${where}: ${id}: ${help}`);
    for (const node of nodes) console.error(`  ${node.target.join(" ")}: ${node.failureSummary}`);
  }
  assert.equal(violations.length, 0, `axe finds nothing in ${where}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${where} is ${overflow} px too wide`);
  checks += passes.length;
}

/** A page that fails the run when it logs an error or asks anybody but its server. */
async function open(browser, address, options, path = "") {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) wrong.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) wrong.push(`asked ${request.url()}`);
  });
  const response = await page.goto(address + path, { waitUntil: "networkidle" });
  assert.equal(response.status(), 200);
  const policy = response.headers()["content-security-policy"] ?? "";
  assert.match(policy, /default-src 'none'|default-src 'self'/, "the page comes with a content security policy");
  assert.doesNotMatch(policy, /unsafe/);
  return { page, close: () => context.close(), wrong };
}

async function tasks(browser, address) {
  const { page, close, wrong } = await open(browser, address, { viewport: { width: 1000, height: 900 } });

  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the first Tab reaches the skip link");
  await page.keyboard.press("Enter");

  assert.match(await judge(page, SPAM), /^Spam/);
  assert.match(await judge(page, GENUINE), /^Not spam/);

  await type(page, "#text-text", ARTICLE.join("\n\n"));
  await page.keyboard.press("Control+Enter");
  const labelled = await announced(page, "#text-status", /paragraphs/);
  assert.match(labelled, /^4 paragraphs: /);
  const paragraphs = page.locator("#text-answer > li");
  assert.deepEqual(await paragraphs.locator("> p:not(.weights)").allTextContents(), ARTICLE, "paragraphs are cut at their bytes");
  assert.match(await paragraphs.locator("> .tag").first().textContent(), /^[a-z ]+ \d+\.\d+%$/, "a label is written out");
  const mattered = paragraphs.last();
  const marks = await mattered.locator("mark").allTextContents();
  assert.ok(marks.length >= 1 && marks.length <= 5, "words that mattered are marked");
  const line = await mattered.locator("mark").first().evaluate((mark) => getComputedStyle(mark).textDecorationLine);
  assert.match(line, /underline/, "not by colour alone");
  const told = await mattered.locator("> .weights").textContent();
  assert.match(told, /^The score falls without: /);
  assert.ok(marks.every((mark) => told.includes(mark)), "what is marked is written out for who does not see it");
  await tabTo(page, "#text-answer summary");
  await page.keyboard.press("Enter");
  assert.equal(await paragraphs.first().locator("tbody tr").first().isVisible(), true);
  await page.keyboard.press("Enter");

  const row = page.locator("#recent-rows tr", { hasText: "free spins" });
  assert.equal(await row.count(), 1);
  const genuine = row.getByRole("button", { name: "Not spam" });
  assert.match(await genuine.textContent(), /Best Casino Bonus/, "a button names its comment");
  await tabTo(page, "#recent-rows tr:nth-child(2) button:nth-of-type(2)");
  await page.keyboard.press("Enter");
  await announced(page, "#recent-status", /marked as not spam/);
  assert.equal(await genuine.getAttribute("aria-pressed"), "true");
  assert.equal(await row.getByRole("button", { name: /^Spam/ }).getAttribute("aria-pressed"), "false");

  await page.reload({ waitUntil: "networkidle" });
  assert.equal(await genuine.getAttribute("aria-pressed"), "true", "a decision lasts");
  const today = page.locator("#counts-rows tr").first();
  assert.match(await page.locator("#counts-chart svg").getAttribute("aria-label"), /spam/);
  await tabTo(page, "#counts-details summary");
  await page.keyboard.press("Enter");
  assert.ok(Number((await today.locator("td").nth(3).textContent()).replace(/\D/g, "")) >= 1, "the decision is counted");

  if (!program.startsWith("http")) {
    assert.match(await judge(page, SPAM), /^Not spam.*you marked/, "what was marked as not spam passes the next time");
  }
  assert.deepEqual(wrong, []);
  await close();
}

/** Whoever answers 401 is given a key, which the tab remembers. */
async function key(browser, address) {
  const { page, close, wrong } = await open(browser, address, {});
  await page.route("**/v1/**", (route) => {
    const known = route.request().headers().authorization === "Bearer correct horse";
    return known ? route.continue() : route.fulfill({ status: 401, json: { error: "no key" } });
  });
  await page.reload({ waitUntil: "networkidle" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "key-field", "the key is asked for");
  await check(page, "the question for the key");
  await page.keyboard.insertText("wrong");
  await page.keyboard.press("Enter");
  await announced(page, "#key-wrong", /does not know this key/);
  await page.keyboard.insertText("correct horse");
  await page.keyboard.press("Enter");
  await page.locator("#recent-table").waitFor({ timeout: SHORT_MS });
  assert.equal(await page.locator("#key").isVisible(), false);
  await page.reload({ waitUntil: "networkidle" });
  assert.equal(await page.locator("#key").isVisible(), false, "the tab remembers the key");
  assert.deepEqual(wrong, []);
  await close();
}

async function look(browser, address, colorScheme, width) {
  const where = `${colorScheme}, ${width} px`;
  const { page, close, wrong } = await open(browser, address, { colorScheme, viewport: { width, height: 900 } });
  await check(page, `${where}, before anything is asked`);
  assert.match(await judge(page, ADVERT), /^Spam/);
  await type(page, "#text-text", ARTICLE.join("\n\n"));
  await page.keyboard.press("Control+Enter");
  await announced(page, "#text-status", /paragraphs/);
  await tabTo(page, "#text-answer summary");
  await page.keyboard.press("Enter");
  await tabTo(page, "#counts-details summary");
  await page.keyboard.press("Enter");
  await check(page, where);
  await page.keyboard.press("Enter");
  await page.evaluate(() => {
    document.activeElement.blur();
    window.scrollTo(0, 0);
  });
  await page.screenshot({ path: join(screenshots, `page-${colorScheme}-${width}.png`), fullPage: true });
  assert.deepEqual(wrong, []);
  await close();
}

/** The description of the interface. */
async function docs(browser, address, colorScheme, width) {
  const where = `the interface, ${colorScheme}, ${width} px`;
  const { page, close, wrong } = await open(browser, address, { colorScheme, viewport: { width, height: 900 } }, "docs");
  await announced(page, "#status", /ways to ask/);
  assert.ok((await page.locator("#routes > section").count()) >= 20, "every route is described");
  assert.match(await page.locator("#post-v1-comments").textContent(), /POST \/v1\/comments/);
  await tabTo(page, "summary");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("details[open]").count(), 1);
  await check(page, where);
  await page.screenshot({ path: join(screenshots, `docs-${colorScheme}-${width}.png`) });
  assert.deepEqual(wrong, []);
  await close();
}

const server = await start();
try {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
  try {
    await tasks(browser, server.address);
    await key(browser, server.address);
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1000, 320]) {
        await look(browser, server.address, colorScheme, width);
        await docs(browser, server.address, colorScheme, width);
      }
    }
  } finally {
    await browser.close();
  }
} finally {
  server.stop();
}
console.log(`the page works by keyboard; axe: ${checks} checks passed, no violation; screenshots in ${screenshots}`);
