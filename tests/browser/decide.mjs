// Decides one approval as a person does: opens the address an agent showed, signs in when asked,
// reads the card, presses a button. Called by tests/it/launch/chromium.rs, which reads the last
// line. A decision of "look" presses nothing.
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import path from "node:path";

const { folder, decision, reason, shots, name } = JSON.parse(process.argv[2]);
const link = process.argv[3];
const require = createRequire(path.join(folder, "package.json"));
const { chromium } = require("playwright-core");
mkdirSync(shots, { recursive: true });

const problems = [];
const browser = await chromium.launch({
  executablePath: process.env.PAGE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await (await browser.newContext()).newPage();
page.on("console", (message) => {
  if (message.type() === "error") problems.push(`console: ${message.text()}`);
});
page.on("pageerror", (error) => problems.push(`script: ${error.message}`));

await page.goto(link);
// The file of `aileron open` signs in by itself; whoever comes by an address types the passphrase.
const byFile = link.startsWith("file:");
if (byFile) {
  await page.waitForURL(/\/approvals/);
} else {
  if ((await page.locator("h1").textContent()) !== "Sign in") problems.push("nobody had to sign in");
  await page.fill("#passphrase", process.env.PAGE_PASSPHRASE);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/approvals/);
}
await page.locator("h1", { hasText: "Approvals" }).waitFor();
const card = page.locator("article.card").first();
const waits = (await page.locator("article.card").count()) > 0;
const seen = waits ? await card.innerText() : "";
const buttons = waits ? await card.getByRole("button").allInnerTexts() : [];
let raw = "";
if (waits) {
  await card.locator("summary", { hasText: "Raw arguments" }).click();
  raw = await card.locator("details").first().innerText();
}
await page.screenshot({ path: path.join(shots, `${name}-asked.png`), fullPage: true });
if (decision === "approve") {
  await card.getByRole("button", { name: /^Approve/ }).click();
} else if (decision === "deny") {
  await card.locator("input[name=reason]").fill(reason);
  await card.getByRole("button", { name: /^Deny/ }).click();
}
if (decision !== "look") {
  await page.waitForURL(/focus=/);
  await page.getByText("no longer waits").waitFor();
}
const told = page.locator("#focused");
const said = (await told.count()) > 0 ? await told.innerText() : "";
await page.screenshot({ path: path.join(shots, `${name}-decided.png`), fullPage: true });
await browser.close();
console.log(JSON.stringify({ problems, seen, raw, buttons, said }));
