// Every page, in light and dark, on a screen and on a phone: what it weighs, whether it fits, and
// what axe-core has to say. Each is kept as a picture.
import { barriers, browser, claim, done, fits, looks, shot, signedIn, told } from "./house.mjs";

const places = [
  ["home", ""], ["approvals", `approvals?focus=${told.approval}`], ["run", `runs/${told.run}`],
  ["actions", "actions"], ["action", "actions/notes-create"], ["drift", "drift"],
  ["bindings", "bindings"], ["binding", `bindings/setup?name=${told.binding}`],
  ["sessions", "sessions"], ["audit", "audit"], ["vault", "vault"],
];
// What a browser that was never here loads for a page: whatever the page says it needs.
const weighed = async (page, response) => {
  const named = await page.evaluate(async () => {
    const all = [...document.querySelectorAll("script, link, img, iframe")];
    const sizes = all.map(async (it) => {
      const address = it.src || it.href;
      const answer = await fetch(address, { cache: "no-store" });
      return [address, (await answer.arrayBuffer()).byteLength];
    });
    return Promise.all(sizes);
  });
  claim(named.length === 3, `${named.length} files are loaded`);
  const own = new URL(page.url()).origin;
  let bytes = (await response.body()).length;
  for (const [address, size] of named) {
    claim(new URL(address).origin === own, `${address} is loaded`);
    bytes += size;
  }
  return bytes;
};

const weights = {};
for (const [look, options] of looks) {
  const { context, page, visit } = await signedIn("/", { ...options, bypassCSP: true });
  for (const [name, where] of places) {
    const response = await visit(where);
    claim(response.status() === 200, `${name}: ${response.status()}`);
    claim((await page.locator("script:not([src])").count()) === 0, `${name} has an inline script`);
    weights[name] = Math.max(weights[name] ?? 0, await weighed(page, response));
    await fits(page, `${name} (${look})`);
    await shot(page, `${name}-${look}`);
    await barriers(page, `${name} (${look})`);
  }
  // One event of the log, reached as a person reaches it.
  await visit("audit");
  await page.locator("tbody th a").first().click();
  await page.waitForURL(/audit\/./);
  await fits(page, `event (${look})`);
  await shot(page, `event-${look}`);
  await barriers(page, `event (${look})`);
  // And a session, and the sign-in of a browser that nobody knows.
  await visit("sessions");
  await page.locator("tbody th a").first().click();
  await page.waitForURL(/sessions\/./);
  await fits(page, `session (${look})`);
  await shot(page, `session-${look}`);
  await barriers(page, `session (${look})`);
  await context.close();
  const fresh = await browser.newContext({ ...options, bypassCSP: true });
  const door = await fresh.newPage();
  await door.goto(told.origin);
  await fits(door, `sign-in (${look})`);
  await shot(door, `sign-in-${look}`);
  await barriers(door, `sign-in (${look})`);
  await fresh.close();
}
for (const [name, bytes] of Object.entries(weights)) {
  claim(bytes > 0 && bytes < 60_000, `${name} weighs ${bytes} bytes`);
}
await done({ weights });
