// What the scenes share: a Chromium, a person who signs in, barriers that axe-core looks for, and
// claims that are collected rather than thrown, so that one run tells of all of them.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";

export const told = JSON.parse(process.env.PAGE_SCENE);
const require = createRequire(path.join(told.folder, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(told.shots, { recursive: true });

export const problems = [];
export const claim = (holds, what) => {
  if (!holds) problems.push(what);
};

export const browser = await chromium.launch({
  executablePath: process.env.PAGE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// A browser of one's own. Whatever a script says wrong, or a policy forbids, is a problem.
export const opened = async (options = {}) => {
  const context = await browser.newContext(options);
  // A machine that is busy with other tests is slow, not broken.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const expected = [];
  page.on("console", (message) => {
    const text = message.text();
    // What a provider's own page lacks is not ours.
    if (told.provider && new URL(page.url()).host === told.provider) return;
    if (message.type() !== "error" || expected.some((it) => text.includes(it))) return;
    problems.push(`console: ${text}`);
  });
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return { context, page, expected };
};

// Goes to an address that others know, and signs in where it leads.
export const signedIn = async (where = "/", options = {}) => {
  const { context, page, expected } = await opened(options);
  await page.goto(new URL(where, told.origin).href);
  claim(new URL(page.url()).hostname.endsWith(".localhost"), `no own name: ${page.url()}`);
  claim((await page.locator("h1").textContent()) === "Sign in", "no sign-in form");
  await page.fill("#passphrase", told.passphrase);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/at\/[0-9a-f]{64}\//);
  const place = page.url().match(/^.*\/at\/[0-9a-f]{64}\//)[0];
  const visit = (name) => page.goto(new URL(name, place).href);
  return { context, page, place, visit, expected };
};

export const shot = (page, name) =>
  page.screenshot({ path: path.join(told.shots, `${name}.png`), fullPage: true });

// axe-core needs a context that bypasses the page's own policy, which forbids it.
export const barriers = async (page, name) => {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const result = await window.axe.run();
    return result.violations
      .filter((it) => it.impact === "serious" || it.impact === "critical")
      .map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`);
  });
  for (const violation of found) problems.push(`${name}: ${violation}`);
};

export const fits = async (page, name) => {
  const [is, may] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  claim(is <= may, `${name} is ${is} wide where ${may} fit`);
};

// How a page may be looked at.
export const looks = [
  ["light", { colorScheme: "light", viewport: { width: 1280, height: 800 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 800 } }],
  ["phone", { colorScheme: "light", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
  ["phone-dark", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
];

// A second browser of the same person's, which only looks: at a page as it is now, in every way.
export const onlooker = async () => {
  const { page, visit, context } = await signedIn("/", { bypassCSP: true });
  const sees = async (where, name) => {
    await visit(where);
    for (const [look, { colorScheme, viewport }] of looks) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await fits(page, `${name} (${look})`);
      await shot(page, `${name}-${look}`);
      await barriers(page, `${name} (${look})`);
    }
  };
  return { page, visit, context, sees };
};

export const done = async (said = {}) => {
  await browser.close();
  console.log(JSON.stringify({ problems, ...said }));
};
