// A connector wants its credential at one more host: what the person is told, and how they agree,
// or do not.
import { claim, done, onlooker, shot, signedIn, told } from "./house.mjs";

const looking = await onlooker();
await looking.sees("bindings", "stale");
await looking.sees(`bindings/setup?name=${encodeURIComponent(told.binding)}`, "renewed-consent");

const own = await signedIn("/bindings", { viewport: { width: 1280, height: 800 } });
const { page, visit } = own;
const card = page.locator("article", { hasText: told.binding });
claim((await card.textContent()).includes("further hosts"), "nobody says why it is stale");
claim(!(await card.textContent()).includes(told.more), "the host is listed as agreed to");
await card.getByRole("link", { name: /^Look and agree again/ }).click();
await page.waitForURL(/bindings\/setup/);
const host = page.locator("li", { hasText: told.more });
claim((await host.textContent()).includes("new"), "the new host is not marked");
const known = page.locator("li", { hasText: told.known });
claim(!(await known.textContent()).includes("new"), "the old host is marked");

// Whoever looks and leaves has agreed to nothing.
await page.getByText("Back to the bindings").click();
await page.waitForURL(/bindings$/);
claim((await card.locator(".chip").textContent()) === "Stale", "looking was agreeing");

// A form that shows less than the connector declares by now agrees to nothing.
await card.getByRole("link", { name: /^Look and agree again/ }).click();
const keep = page.locator("section", { hasText: "Or keep the credential you gave" });
await keep.locator("input[name=hosts]").evaluate((it, known) => { it.value = known; }, told.known);
own.expected.push("409");
await keep.getByRole("button", { name: "Agree to these hosts" }).click();
await page.getByText("declares other hosts").waitFor();
await shot(page, "renewed-consent-refused");
await visit("bindings");
claim((await card.locator(".chip").textContent()) === "Stale", "less was shown, and it counts");

// Agreed, without scripts; the credential is the one that was given before.
const plain = await signedIn("/bindings", { javaScriptEnabled: false });
await plain.page.getByRole("link", { name: /^Look and agree again/ }).click();
await plain.page.getByRole("button", { name: "Agree to these hosts" }).click();
await plain.page.getByText("is bound.").waitFor();
const again = plain.page.locator("article", { hasText: told.binding });
claim((await again.locator(".chip").textContent()) === "Active", "still stale");
claim((await again.textContent()).includes(told.more), "the new host is not agreed to");
await shot(plain.page, "renewed");
await looking.sees("bindings", "renewed-bindings");
await done();
