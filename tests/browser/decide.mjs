// Decides one approval as a person does: opens the address an agent showed, signs in when asked,
// reads the card, presses a button. A decision of "look" presses nothing. Called by
// tests/it/launch/chromium.rs, which reads the last line.
import { claim, done, opened, shot, told } from "./house.mjs";

const link = process.argv[2];
const { decision, reason, name } = told;
const { page } = await opened();
await page.goto(link);
// The file of `aileron open` signs in by itself; whoever comes by an address types the passphrase.
if (!link.startsWith("file:")) {
  claim((await page.locator("h1").textContent()) === "Sign in", "nobody had to sign in");
  await page.fill("#passphrase", told.passphrase);
  await page.keyboard.press("Enter");
}
await page.waitForURL(/\/at\/[0-9a-f]{64}\/approvals/);
await page.locator("h1", { hasText: "Approvals" }).waitFor();
const focus = new URL(link).searchParams.get("focus");
claim(!focus || new URL(page.url()).searchParams.get("focus") === focus, "the focus was lost");
const card = page.locator("article.card").first();
const waits = (await card.count()) > 0;
const seen = waits ? await card.innerText() : "";
const names = waits ? await card.locator("form.decide button").allInnerTexts() : [];
const buttons = names.map((name) => name.replace(/\s+/g, " "));
let raw = "";
if (waits) {
  await card.locator("summary", { hasText: "Raw arguments" }).click();
  raw = await card.locator("details pre").innerText();
}
await shot(page, `${name}-asked`);
if (decision === "approve") {
  await card.getByRole("button", { name: /^Approve/ }).click();
} else if (decision === "deny") {
  await card.locator("input[name=reason]").fill(reason);
  await card.getByRole("button", { name: /^Deny/ }).click();
}
if (decision !== "look") await page.getByText("no longer waits").waitFor();
const after = page.locator("#focused");
const said = (await after.count()) > 0 ? await after.innerText() : "";
await shot(page, `${name}-decided`);
await done({ seen, raw, buttons, said });
