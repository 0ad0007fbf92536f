// Every decision: approved with the script, approved with the keyboard alone, denied without
// scripts, an action switched and run, the vault locked and unlocked, and signing out.
import { claim, done, opened, shot, signedIn, told } from "./house.mjs";

const { approve, keyboard, deny } = told;

// With the script, under the page's own policy: the card goes, and a new state is shown.
const own = await signedIn(`/approvals?focus=${approve}`, {
  viewport: { width: 1280, height: 800 },
});
const card = own.page.locator(`[id="${approve}"]`);
claim(await card.evaluate((it) => it.classList.contains("focus")), "the card is not focused");
const focused = await card.evaluate((it) => document.activeElement === it);
claim(focused, "the focus is not on the card");
await card.getByRole("button", { name: /^Approve/ }).click();
await own.page.getByText("no longer waits").waitFor();
await shot(own.page, "approved");

// A link that others know leads a browser that is signed in straight to the card.
const second = await own.context.newPage();
await second.goto(new URL(`/approvals?focus=${keyboard}`, told.origin).href);
await second.waitForURL(/\/at\/[0-9a-f]{64}\/approvals\?focus=/);
await second.locator(`[id="${keyboard}"]`).waitFor();
// From the card, with the keyboard alone: on to the reason, and on to the first button.
let steps = 0;
const label = () => second.evaluate(() => document.activeElement.textContent.trim());
while (steps < 40 && !(await label()).startsWith("Approve")) {
  await second.keyboard.press("Tab");
  steps += 1;
}
claim(steps < 40, "the keyboard does not get to the button");
const ring = await second.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
claim(ring !== "none", "the focus is not seen");
await second.keyboard.press("Enter");
await second.getByText("no longer waits").waitFor();
await second.close();

// In a browser without scripts, with a reason.
const plain = await signedIn(`/approvals?focus=${deny}`, { javaScriptEnabled: false });
const other = plain.page.locator(`[id="${deny}"]`);
await other.locator("input[name=reason]").fill("not today");
await other.getByRole("button", { name: /^Deny/ }).click();
await plain.page.getByText("not today").first().waitFor();
await shot(plain.page, "denied-without-scripts");
// The first browser learns of it by itself.
await own.page.locator("#past").getByText("not today").waitFor();
claim((await own.page.locator(`[id="${deny}"]`).count()) === 0, "a decided card stays");

// A file that somebody changed: the difference is looked at, and accepted as it was shown.
await own.visit("");
await own.page.getByText("see what changed").click();
await own.page.locator("ins", { hasText: "List what the person wrote" }).waitFor();
await shot(own.page, "changed");
await own.page.getByRole("button", { name: "Accept it as shown" }).click();
await own.page.waitForURL(/actions\/notes-list/);
claim(!(await own.page.textContent("main")).includes("not the one you accepted"), "still changed");
await own.visit("drift");
await own.page.getByText("Everything is as you accepted it").waitFor();

// An action is hidden and shown again, and run from its form.
for (const { page, visit } of [own, plain]) {
  await visit("actions");
  const row = page.locator("tr", { hasText: "notes-list" });
  await row.getByRole("switch", { checked: true }).click();
  await row.getByRole("switch", { checked: false }).click();
  await row.getByRole("switch", { checked: true }).waitFor();
}
await own.visit("actions/notes-create");
await own.page.locator("[name=in-title]").fill("From the page");
await own.page.locator("[name=in-text]").fill("two\nlines");
await own.page.getByRole("button", { name: /^Run/ }).click();
await own.page.waitForURL(/approvals\?focus=/);
await own.page.getByText("From the page").first().waitFor();
await shot(own.page, "asked-from-the-page");
await plain.visit("actions/notes-list");
await plain.page.getByRole("button", { name: /^Run/ }).click();
await plain.page.waitForURL(/runs\//);
await plain.page.getByText("Welcome").first().waitFor();
await shot(plain.page, "run-without-scripts");

// A receipt is a file.
await own.visit("audit");
await own.page.locator("tbody th a").first().click();
const [receipt] = await Promise.all([
  own.page.waitForEvent("download"),
  own.page.getByText("Download the receipt").click(),
]);
claim(receipt.suggestedFilename() === "receipt.txt", "the receipt is no file");

// Revoked, without scripts: asked once more, then gone.
await plain.visit("bindings");
await plain.page.getByText("Revoke", { exact: false }).first().click();
await plain.page.getByRole("button", { name: "Revoke it" }).click();
await plain.page.getByText("No credential is bound").waitFor();

// Signing out everywhere ends the other browser as well, which is told by itself.
await own.page.locator("summary", { hasText: "Signed in" }).click();
await own.page.getByRole("button", { name: "Sign out everywhere" }).click();
await own.page.waitForURL(/\/sign-in/);
await plain.visit("vault");
claim((await plain.page.locator("h1").textContent()) === "Sign in", "still signed in");
const left = await own.page.evaluate(() => localStorage.length);
claim(left === 0, "the place of a session that is over is remembered");

// Locked: signed out, and everything waits; unlocked with the sign-in.
const last = await signedIn("/vault");
await last.page.getByRole("button", { name: "Lock the vault" }).click();
await last.page.waitForURL(/\/sign-in/);
const again = await opened();
await again.page.goto(new URL("/vault", told.origin).href);
await again.page.fill("#passphrase", "wrong");
again.expected.push("401");
await again.page.keyboard.press("Enter");
await again.page.getByRole("alert").waitFor();
await shot(again.page, "wrong-passphrase");
await again.page.uncheck("[name=unlock]");
await again.page.fill("#passphrase", told.passphrase);
await again.page.keyboard.press("Enter");
await again.page.getByText("The vault is locked").waitFor();
await shot(again.page, "locked");
await again.page.fill("#passphrase", told.passphrase);
await again.page.getByRole("button", { name: "Unlock the vault" }).click();
await again.page.getByText("The vault is unlocked").waitFor();
await done();
