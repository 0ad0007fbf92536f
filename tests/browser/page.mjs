// Drives the web page in Chromium: every page, both decisions, with the script and without it, in
// light and in dark, and axe-core on each. Called by tests/it/page.rs, which reads the last line.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";

const [folder, origin, shots, approve, deny] = process.argv.slice(2);
const passphrase = process.env.PAGE_PASSPHRASE;
const require = createRequire(path.join(folder, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(shots, { recursive: true });

const problems = [];
const claim = (holds, what) => {
  if (!holds) problems.push(what);
};

const browser = await chromium.launch({
  executablePath: process.env.PAGE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const signedIn = async (options) => {
  // axe-core is put in by the test; the page's own policy is tested apart from it.
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  await page.goto(`${origin}/approvals?focus=${approve}`);
  claim(new URL(page.url()).hostname.endsWith(".localhost"), `no own name: ${page.url()}`);
  claim((await page.locator("h1").textContent()) === "Sign in", "no sign-in form");
  await page.fill("#passphrase", passphrase);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/approvals\?focus=/);
  return { context, page };
};

const checked = async (page, name, scheme) => {
  await page.screenshot({ path: path.join(shots, `${name}-${scheme}.png`), fullPage: true });
  const found = await page.evaluate(async () => {
    const result = await window.axe.run();
    return result.violations
      .filter((it) => it.impact === "serious" || it.impact === "critical")
      .map((it) => `${it.id}: ${it.nodes[0].html}`);
  });
  for (const violation of found) problems.push(`${name} (${scheme}): ${violation}`);
};

const places = ["", "approvals", "actions", "bindings", "sessions", "audit", "vault"];
let weight = 0;
for (const colorScheme of ["light", "dark"]) {
  const { context, page } = await signedIn({
    colorScheme, viewport: { width: 390, height: 844 }, bypassCSP: true,
  });
  await page.addInitScript({ content: axe });
  for (const place of places) {
    let bytes = 0;
    const count = async (response) => {
      if (!response.url().endsWith("/live")) bytes += (await response.body().catch(() => "")).length;
    };
    page.on("response", count);
    await page.goto(new URL(`/${place}`, page.url()).href);
    page.off("response", count);
    weight = Math.max(weight, bytes);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    claim(!wide, `${place || "home"} does not fit a phone`);
    await checked(page, place || "home", colorScheme);
  }
  await context.close();
}
claim(weight < 60_000, `the page weighs ${weight} bytes`);

// With the script, under the page's own policy: approve; the card goes, and a new state is shown.
const own = await signedIn({ viewport: { width: 1280, height: 800 } });
const card = own.page.locator(`[id="${approve}"]`);
claim(await card.evaluate((it) => it.classList.contains("focus")), "the card is not focused");
claim((await card.textContent()).includes("<b>bold</b>"), "markup of an argument is not text");
claim((await card.locator("b").count()) === 0, "markup of an argument became markup");
await card.getByRole("button", { name: /^Approve/ }).click();
await own.page.waitForURL(/focus=/);
await own.page.getByText("no longer waits").waitFor();
await own.page.screenshot({ path: path.join(shots, "approved.png"), fullPage: true });
// The other card is still there, and is decided in a browser without scripts, with a reason.
const plain = await signedIn({ javaScriptEnabled: false });
await plain.page.goto(new URL(`/approvals?focus=${deny}`, plain.page.url()).href);
const other = plain.page.locator(`[id="${deny}"]`);
await other.locator("input[name=reason]").fill("not today");
await other.getByRole("button", { name: /^Deny/ }).click();
await plain.page.getByText("not today").first().waitFor();
await plain.page.screenshot({ path: path.join(shots, "denied.png"), fullPage: true });
// The first browser learns of it by itself.
await own.page.locator("#past").getByText("not today").waitFor({ timeout: 10_000 });
claim((await own.page.locator(`[id="${deny}"]`).count()) === 0, "a decided card stays");
// Signing out ends it: the page that is left leads to the form.
await own.page.locator("summary", { hasText: "Signed in" }).click();
await own.page.getByRole("button", { name: "Sign out", exact: true }).click();
await own.page.waitForURL(/\/sign-in/);
await own.page.goto(new URL("/vault", own.page.url()).href);
claim((await own.page.locator("h1").textContent()) === "Sign in", "still signed in");
// A page of another site, on another port of the same name, gets no frame and no decision.
await browser.close();
console.log(JSON.stringify({ problems, weight }));
