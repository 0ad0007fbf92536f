// Two people, or one person twice, at the same call: the first decision counts, and whoever comes
// second is told so.
import { claim, done, fits, onlooker, opened, shot, signedIn, told } from "./house.mjs";

const wide = { viewport: { width: 1280, height: 800 } };
const cardOf = (page, id) => page.locator(`[id="${id}"]`);
const denies = async (page, id, reason) => {
  await cardOf(page, id).locator("input[name=reason]").fill(reason);
  await cardOf(page, id).getByRole("button", { name: /^Deny/ }).click();
};

const first = await signedIn(`/approvals?focus=${told.denied}`, wide);
const second = await signedIn(`/approvals?focus=${told.denied}`, {
  ...wide, javaScriptEnabled: false,
});
// Of the third one the script runs, and hears nothing: its card stands still.
const third = await opened(wide);
third.expected.push("ERR_FAILED", "404", "409");
await third.context.route(/\/live$/, (route) => route.abort());
await third.page.goto(new URL(`/approvals?focus=${told.denied}`, told.origin).href);
await third.page.fill("#passphrase", told.passphrase);
await third.page.keyboard.press("Enter");
await cardOf(third.page, told.denied).waitFor();

await denies(first.page, told.denied, "not this month");
await first.page.getByText("no longer waits").waitFor();
claim((await first.page.locator("#focused").textContent()).includes("not this month"), "no reason");

// Both come too late, one with a yes and one with another no.
second.expected.push("404", "409");
await cardOf(second.page, told.denied).getByRole("button", { name: /^Approve/ }).click();
await denies(third.page, told.denied, "never");
for (const { page } of [second, third]) {
  await page.getByText("decided already").waitFor();
  await fits(page, "too late");
}
await shot(second.page, "too-late");
await third.page.setViewportSize({ width: 390, height: 844 });
await shot(third.page, "too-late-phone");
for (const { page } of [second, third]) {
  await page.getByText("See what became of it").click();
  await page.waitForURL(/approvals\?focus=/);
  const became = await page.locator("#focused").textContent();
  for (const part of ["notes-create", "denied", "not this month"]) {
    claim(became.includes(part), `the second is not told ${part}: ${became}`);
  }
}

// At the same moment: one of them wins, and the other one is told.
await second.visit(`approvals?focus=${told.raced}`);
await third.page.goto(new URL(`approvals?focus=${told.raced}`, third.page.url()).href);
await Promise.all([
  denies(second.page, told.raced, "from the second"),
  denies(third.page, told.raced, "from the third"),
]);
const outcome = async (page) => {
  const won = page.getByText("no longer waits");
  const lost = page.getByText("decided already");
  await won.or(lost).first().waitFor();
  return (await won.count()) > 0;
};
const won = [await outcome(second.page), await outcome(third.page)];
claim(won[0] !== won[1], `not one of them decided: ${won}`);

const looking = await onlooker();
await looking.sees(`approvals?focus=${told.denied}`, "decided-by-another");
await done({ winner: won[0] ? "from the second" : "from the third" });
