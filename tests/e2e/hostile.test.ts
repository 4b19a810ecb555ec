import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../../src/browser/serve.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import { makeCapture } from "../support/capture-factory.ts";
import { launchChromium, openWatched, type Watched } from "../support/chromium.ts";
import { HOSTILE_TEXTS, poisonCapture } from "../support/hostile.ts";
import { goTo, visitEverything } from "../support/viewer.ts";

const KINDS = [
  ["in every text that leaves the run readable", "20261122T162000Z-hostile", true],
  ["in every text there is", "20261122T162100Z-hostile", false],
] as const;

let root: string;
let browser: Browser;

beforeAll(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "hostile-"));
  browser = await launchChromium();
  for (const [, name, keepStructure] of KINDS) {
    const counts = poisonCapture(makeCapture(root, name), keepStructure);
    // Without this the rest could pass because nothing was replaced.
    expect(Object.values(counts).every((count) => count > 3)).toBe(true);
  }
});

afterAll(async () => {
  await browser.close();
  fs.rmSync(root, { recursive: true, force: true });
});

/** A page on which a text that became script is noticed. */
async function openTrapped(): Promise<Watched> {
  const watched = await openWatched(browser);
  await watched.page.context().exposeFunction("canary", (text: string) => watched.faults.push(`canary: ${text}`));
  return watched;
}

/** Elements that no page of ours has. */
const FOREIGN =
  "img, iframe, svg, object, embed, form, base, link[href^=http], a[href^=javascript], a[href^=http], [onerror], [onload], [onfocus]";

describe("the trap", () => {
  it("notices each kind of text where it is markup", async () => {
    const { page, faults } = await openTrapped();
    await page.goto("about:blank");
    const noticed: string[] = [];
    for (const text of HOSTILE_TEXTS) {
      faults.length = 0;
      await page.setContent(`<p title='${text}'>${text}</p>`);
      await page.waitForTimeout(50);
      if (faults.length > 0 || (await page.locator(FOREIGN).count()) > 0) noticed.push(text);
    }
    expect(noticed.length).toBeGreaterThanOrEqual(6);
    await page.context().close();
  });
});

describe.each(KINDS)("hostile texts %s", (_where, name) => {
  it("stay text in the report", async () => {
    const { reportPath } = await writeSummaryAndReport(path.join(root, name));
    const watched = await openTrapped();
    const url = pathToFileURL(reportPath).href;
    await watched.page.goto(url);
    await visitEverything(watched.page, name);
    expect(await watched.page.locator(FOREIGN).count()).toBe(0);
    expect(await watched.page.locator("script").count()).toBe(2);
    expect(watched.requests.filter((one) => one.replace(/#.*$/, "") !== url)).toEqual([]);
    expect(watched.faults).toEqual([]);
    await watched.page.context().close();
  });

  it("stay text in the browser", async () => {
    const server = await startBrowser({ host: "127.0.0.1", port: 0, captureRoot: root });
    try {
      const watched = await openTrapped();
      await watched.page.goto(server.url);
      await watched.page.waitForSelector(".entry");
      await watched.page.goto(`${server.url}/#/c/${name}/overview`);
      await visitEverything(watched.page, name);
      expect(await watched.page.locator(FOREIGN).count()).toBe(0);
      expect(watched.requests.filter((one) => !one.startsWith(`${server.url}/`))).toEqual([]);
      expect(watched.faults).toEqual([]);
      await watched.page.context().close();
    } finally {
      await server.close();
    }
  });

  it("show what would hide or reorder as marks", async () => {
    const watched = await openTrapped();
    await watched.page.goto(pathToFileURL(path.join(root, name, "report/index.html")).href);
    await goTo(watched.page, name, "logs");
    const text = await watched.page.locator("main").innerText();
    expect(text).toContain("⟨U+202E⟩gnp.exe⟨U+2066⟩␀␛]0;title␇␛[2J⟨U+200B⟩⟨U+FEFF⟩");
    expect(text).not.toMatch(/[\u202e\u2066\u0000\u001b\u200b\ufeff]/);
    expect(await watched.page.title()).not.toMatch(/[\u202e\u2066\u0000\u001b\u200b\ufeff]/);
    await watched.page.context().close();
  });

  it("do not make the page wider than 320 pixels", async () => {
    const watched = await openWatched(browser, { viewport: { width: 320, height: 640 } });
    await watched.page.goto(pathToFileURL(path.join(root, name, "report/index.html")).href);
    for (const tab of ["overview", "timeline", "files", "evidence", "conversation"]) {
      await goTo(watched.page, name, tab);
      expect([tab, await watched.page.evaluate("document.documentElement.scrollWidth")]).toEqual([tab, 320]);
    }
    await watched.page.context().close();
  });
});
