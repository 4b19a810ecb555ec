import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../../src/browser/serve.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import { issue } from "../../src/schema/issue.ts";
import { launchChromium, openWatched, type Watched } from "../support/chromium.ts";
import { fillSchema } from "../support/fill-schema.ts";
import { makeFilledCapture } from "../support/filled-capture.ts";
import { CHEATS, obeyedIn } from "../support/terminal-safety.ts";
import { goTo, TABS } from "../support/viewer.ts";

/** Every way to cheat at once, so that one capture does for all. */
const TEXT = Object.values(CHEATS)
  .map((text) => text.slice(0, 200))
  .join(" ");
const NAME = "20261122T162000Z-hostile";

let root: string;
let browser: Browser;
beforeAll(async () => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "hostile-schema-")));
  const { dir, places } = makeFilledCapture(root, NAME, TEXT);
  expect([...places.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(150);
  // An id is part of addresses; it takes no such text.
  fs.writeFileSync(path.join(dir, LAYOUT.issue), JSON.stringify(fillSchema(issue, TEXT).value));
  browser = await launchChromium();
  await writeSummaryAndReport(dir);
});
afterAll(async () => {
  await browser?.close();
  fs.rmSync(root, { recursive: true, force: true });
});

/** Everything of the page that a reader meets: texts, also folded ones, the title, and what pointers and screen readers tell. */
const READ = `[document.title, ...(function* () {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (node.parentElement.closest("script, style") === null) yield node.data;
  for (const element of document.body.querySelectorAll("[title], [aria-label], [alt], [placeholder]"))
    for (const name of ["title", "aria-label", "alt", "placeholder"]) yield element.getAttribute(name) ?? "";
})()].join("\\n")`;

async function readAll(page: Page): Promise<string> {
  let read = "";
  for (const tab of TABS) {
    await goTo(page, NAME, tab);
    for (let round = 0; round < 2; round++) {
      await page.evaluate(
        `for (const one of document.querySelectorAll("main details:not([open]) > summary, main button")) one.click()`,
      );
      await page.waitForTimeout(100);
      read += String(await page.evaluate(READ));
    }
  }
  return read;
}

async function holds({ page, faults }: Watched): Promise<void> {
  const read = await readAll(page);
  // It was shown at all, as marks.
  expect(read).toContain("⟨U+202E⟩gpj.exe");
  expect(read).toContain("␛[2J");
  expect(read).toContain("</script><script>");
  expect([...new Set(obeyedIn(read))].map((char) => char.codePointAt(0)?.toString(16))).toEqual([]);
  expect(faults).toEqual([]);
}

async function open(): Promise<Watched> {
  const watched = await openWatched(browser);
  await watched.page.context().exposeFunction("canary", (text: string) => watched.faults.push(`canary: ${text}`));
  return watched;
}

describe("F03, F04: a capture in which every free text of every schema is hostile", () => {
  it("the look-out sees what a page shows as it is", async () => {
    const { page, faults } = await open();
    await page.setContent("<main></main>");
    await page.evaluate(`document.querySelector("main").append(${JSON.stringify(TEXT)})`);
    expect(obeyedIn(String(await page.evaluate(READ))).length).toBeGreaterThan(20);
    await page.setContent(`<main>${TEXT}</main>`);
    await page.waitForTimeout(100);
    expect(faults.length).toBeGreaterThan(0);
    await page.context().close();
  });

  it("is text, with visible marks, in the report", async () => {
    const watched = await open();
    await watched.page.goto(pathToFileURL(path.join(root, NAME, LAYOUT.report)).href);
    await holds(watched);
    await watched.page.context().close();
  });

  it("is text, with visible marks, in the browser", async () => {
    const server = await startBrowser({ host: "127.0.0.1", port: 0, captureRoot: root });
    try {
      const watched = await open();
      await watched.page.goto(server.url);
      await watched.page.waitForSelector(".entry");
      expect(obeyedIn(String(await watched.page.evaluate(READ)))).toEqual([]);
      await watched.page.goto(`${server.url}/#/c/${NAME}/overview`);
      await holds(watched);
      await watched.page.context().close();
    } finally {
      await server.close();
    }
  });
});
