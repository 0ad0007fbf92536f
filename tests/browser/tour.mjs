// Every page, in light and dark, on a screen and on a phone: what it weighs, whether it fits, and
// what axe-core has to say. Each is kept as a picture.
import { barriers, browser, claim, done, fits, shot, signedIn, told } from "./house.mjs";

const places = [
  ["home", ""], ["approvals", `approvals?focus=${told.approval}`], ["run", `runs/${told.run}`],
  ["actions", "actions"], ["action", "actions/notes-create"], ["drift", "drift"],
  ["bindings", "bindings"], ["binding", `bindings/setup?name=${told.binding}`],
  ["sessions", "sessions"], ["audit", "audit"], ["vault", "vault"],
];
const looks = [
  ["light", { colorScheme: "light", viewport: { width: 1280, height: 800 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 800 } }],
  ["phone", { colorScheme: "light", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
  ["phone-dark", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
];

const weights = {};
for (const [look, options] of looks) {
  const { context, page, visit } = await signedIn("/", { ...options, bypassCSP: true });
  const all = [...places];
  for (const [name, where] of all) {
    let bytes = 0;
    const counted = [];
    const count = (response) => {
      if (response.url().endsWith("/live")) return;
      counted.push(response.body().then((body) => (bytes += body.length), () => {}));
    };
    page.on("response", count);
    const response = await visit(where);
    await page.waitForLoadState("load");
    page.off("response", count);
    await Promise.all(counted);
    claim(response.status() === 200, `${name}: ${response.status()}`);
    claim((await page.locator("script:not([src])").count()) === 0, `${name} has an inline script`);
    weights[name] = Math.max(weights[name] ?? 0, bytes);
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
