// Calls that were let run in advance: they come and go on an open page, are counted there, and
// are taken back there.
import { execFileSync } from "node:child_process";
import { claim, done, onlooker, shot, signedIn, told } from "./house.mjs";

const own = await signedIn("/approvals", { viewport: { width: 1280, height: 800 } });
const { page } = own;
const looking = await onlooker();

// The person makes one at the terminal; the open page learns of it by itself.
const made = execFileSync(told.program, ["approval", "grant", "notes-create", "--arg",
  "title=Rent", "--any", "text", "--session", told.session, "--max-uses", "2", "--expires", "1h",
  "--yes", "--json"], { env: { ...told.environment, PATH: process.env.PATH } });
const grant = JSON.parse(made);
const card = page.locator("#grants article", { hasText: "notes-create" });
await card.getByText("used 0 of 2").waitFor();
const words = await card.textContent();
for (const part of ["Rent", "anything", told.session, "Credential"]) {
  claim(words.includes(part), `the grant's card lacks ${part}: ${words}`);
}

// What the agent is answered.
const asks = async (title) => {
  const answer = await fetch(`${told.origin}/v1/actions/notes-create/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${told.agent}`, "content-type": "application/json" },
    body: JSON.stringify({ args: { title, text: "monthly" } }),
  });
  return answer.status;
};
claim((await asks("Rent")) === 200, "a granted call waits");
await card.getByText("used 1 of 2").waitFor();
claim((await asks("Car")) === 202, "another call runs on the grant");
await page.locator("#cards article", { hasText: "Car" }).waitFor();
await looking.sees("approvals", "granted");

// Taken back, in a browser without scripts; the open page is told.
const plain = await signedIn("/approvals", { javaScriptEnabled: false });
const back = plain.page.locator("#grants article", { hasText: "notes-create" });
await back.getByRole("button", { name: /^Revoke it/ }).click();
await plain.page.locator("#granted-before", { hasText: "Revoked" }).waitFor();
await shot(plain.page, "grant-revoked");
await page.locator("#granted-before", { hasText: "Revoked" }).waitFor();
await page.getByText("Nothing runs without asking you.").waitFor();
claim((await asks("Rent")) === 202, "a call runs on a grant that was taken back");
await looking.sees("approvals", "granted-before");
await done({ grant: grant.id });
