// What came from another machine, and what somebody changed: shown, and accepted as it was shown.
import { readFileSync, writeFileSync } from "node:fs";
import { claim, done, onlooker, shot, signedIn, told } from "./house.mjs";

const looking = await onlooker();
await looking.sees("drift", "carried");
await looking.sees("actions/notes-list", "carried-action");

const own = await signedIn("/drift", { viewport: { width: 1280, height: 800 } });
const { page, visit } = own;
const card = (name) => page.locator("article").filter({
  has: page.getByRole("heading", { name, exact: true }),
});
const accept = { name: /^Accept it as shown/ };

// The connector: what it may do stands there before anybody agrees.
const connector = card(told.connector);
const words = await connector.textContent();
for (const part of ["NOT ACCEPTED YET", told.host, "api_key", "Signed by"]) {
  claim(words.includes(part), `the connector's card lacks ${part}: ${words}`);
}
const needs = await card("notes-list").textContent();
claim(needs.includes(told.connector), `it is not said what comes along: ${needs}`);
await connector.getByRole("button", accept).click();
await connector.waitFor({ state: "detached" });
claim(new URL(page.url()).pathname.endsWith("/drift"), `not on the list: ${page.url()}`);

// The actions, one of them without scripts.
await card("notes-list").getByRole("button", accept).click();
await page.waitForURL(/actions\/notes-list/);
const plain = await signedIn("/drift", { javaScriptEnabled: false });
await plain.page.getByRole("button", { name: "Accept it as shown notes-create" }).click();
await plain.page.waitForURL(/actions\/notes-create/);
await visit("drift");
await page.getByText("Everything is as you accepted it").waitFor();

// The record of all of it is edited: an entry goes.
const before = readFileSync(told.lock, "utf8");
const without = before.replace(/\[\[actions\]\]\nname = "notes-list"[^[]*/, "");
claim(without !== before, "the record is not edited");
writeFileSync(told.lock, without);
await looking.sees("drift", "record");
await visit("drift");
const lock = card("actions.lock");
await lock.locator("ins, del", { hasText: "notes-list" }).first().waitFor();
await shot(page, "record-changed");
// It changes once more while the person reads.
writeFileSync(told.lock, without + "# and more\n");
own.expected.push("409");
const anew = lock.getByRole("button", { name: "Have it written anew" });
await anew.click();
const look = page.getByRole("link", { name: "Look again" });
await look.waitFor();
await shot(page, "record-changed-meanwhile");
await look.click();
await lock.locator("ins, del", { hasText: "and more" }).first().waitFor();
await anew.click();
await page.getByText("Everything is as you accepted it").waitFor();
claim(readFileSync(told.lock, "utf8") === before, "the record is not the runtime's own again");
await done();
