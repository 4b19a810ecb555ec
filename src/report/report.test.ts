import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCapture } from "../../tests/support/capture-factory.ts";
import type { CaptureParts } from "../../tests/support/capture-parts.ts";
import { changeSample } from "../../tests/support/capture-sample.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { openCapture } from "../evidence/reader.ts";
import type { CapturePage } from "../schema/page.ts";
import { fitPage } from "./fit-page.ts";
import { composeHtml, escapeHtml } from "./html.ts";
import { buildPage } from "./page-data.ts";

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "report-"));
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function pageOf(change?: (parts: CaptureParts) => void): Promise<CapturePage> {
  return buildPage(openCapture(makeCapture(root, "20261122T162000Z-fix_math_utils", change)));
}

describe("the page's data", () => {
  it("shows of each request only what it added", async () => {
    const { exchanges } = await pageOf();
    expect(exchanges.map((one) => one.newMessages?.map((message) => message.role))).toEqual([
      ["system", "user"],
      ["assistant", "tool"],
      ["assistant", "tool"],
      ["assistant", "tool"],
    ]);
    expect(exchanges[1]?.newMessages?.[1]?.text).toContain("return a - b");
  });

  it("finds a large body in its file, and says so when there is none", async () => {
    const body = JSON.stringify({ messages: [{ role: "user", content: "from the file" }] });
    const name = createHash("sha256").update(body).digest("hex");
    const dir = makeCapture(root, "20261122T162000Z-x", (parts) => {
      for (const [index, one] of parts.exchanges.entries()) {
        one.request = { ...one.request, text: null, file: index === 0 ? `bodies/${name}` : "../../../etc/hostname" };
      }
    });
    fs.mkdirSync(path.join(dir, "model/bodies"));
    fs.writeFileSync(path.join(dir, "model/bodies", name), body);
    const { exchanges } = await buildPage(openCapture(dir));
    expect(exchanges.map((one) => one.newMessages)).toEqual([
      [{ role: "user", text: "from the file" }],
      null,
      null,
      null,
    ]);
  });

  it("holds the beginning and the end of a long log", async () => {
    const { logs } = await pageOf((parts) => {
      parts.logs["opencode.stdout.log"] = `first\n${"x".repeat(300_000)}\nlast`;
    });
    const log = logs.find((one) => one.file === LAYOUT.stdoutLog);
    expect(log).toMatchObject({
      sizeBytes: 300_011,
      head: expect.stringMatching(/^first/),
      tail: expect.stringMatching(/last$/),
    });
  });

  it("does not list or read what is a link", async () => {
    const dir = makeCapture(root, "20261122T162000Z-y");
    fs.rmSync(path.join(dir, LAYOUT.stdoutLog));
    fs.symlinkSync("/etc/hostname", path.join(dir, LAYOUT.stdoutLog));
    const { logs, files } = await buildPage(openCapture(dir));
    expect(logs.map((log) => log.file)).not.toContain(LAYOUT.stdoutLog);
    expect(files.map((file) => file.path)).not.toContain(LAYOUT.stdoutLog);
  });
});

describe("fitPage", () => {
  it("leaves a small page as it is", async () => {
    const page = await pageOf();
    expect(JSON.parse(fitPage(page))).toEqual(JSON.parse(JSON.stringify(page)));
  });

  it("leaves out what is missed least first, and says what", async () => {
    const page = await pageOf((parts) => {
      for (let n = 0; n < 40; n++)
        parts.fsDiff?.changes.push(changeSample(`big${n}`, { diff: `+${"y".repeat(100_000)}` }));
    });
    const json = fitPage(page, 2_000_000);
    const fitted = JSON.parse(json) as CapturePage;
    expect(json.length).toBeLessThanOrEqual(2_000_000);
    expect(fitted.omitted.map((one) => one.what)).toEqual(["noise", "messages", "timeline", "diffs"]);
    expect(fitted.omitted.at(-1)).toEqual({ what: "diffs", kept: 2, total: 42 });
    expect(fitted.summary.observations.filesystem?.changes.at(-1)).toMatchObject({
      path: "big39",
      diff_omitted: "budget",
    });
    expect(page.omitted).toEqual([]);
  });
});

const HOSTILE = `</script><img src=x onerror=alert(1)></noscript><svg/onload=alert(2)>"'&\u202e\u0000\u2028`;

describe("composeHtml", () => {
  const assets = { script: "const a = '</script><!--';", style: "b{content:'</style>'}", page: "" };

  it("lets no captured text become markup", async () => {
    const page = await pageOf((parts) => {
      parts.run.issue_title = HOSTILE;
      parts.issue.title = HOSTILE;
      parts.run.end_detail = HOSTILE;
      parts.run.execution_error = HOSTILE;
      for (const one of parts.exchanges) one.text = HOSTILE;
    });
    const html = composeHtml(page, fitPage(page), assets);
    expect(html.match(/<(img|svg)/g)).toBeNull();
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html.match(/<\/noscript>/g)).toHaveLength(1);
    expect(html).not.toMatch(/[\u202e\u0000\u2028]/);
  });

  it("names the hashes of exactly the script and the style it holds", async () => {
    const page = await pageOf();
    const html = composeHtml(page, fitPage(page), assets);
    const hash = (text: string | undefined): string =>
      createHash("sha256")
        .update(text ?? "")
        .digest("base64");
    const script = /<script>([^]*?)<\/script>/.exec(html)?.[1];
    const style = /<style>([^]*?)<\/style>/.exec(html)?.[1];
    expect(html).toContain(`script-src 'sha256-${hash(script)}'`);
    expect(html).toContain(`style-src 'sha256-${hash(style)}'`);
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/unsafe-|https?:(?!\/\/www\.w3\.org\/2000\/svg)/);
  });

  it("carries the data", async () => {
    const page = await pageOf();
    const html = composeHtml(page, fitPage(page), assets);
    const data = /id="capture-data">([^<]*)</.exec(html)?.[1] ?? "";
    expect(JSON.parse(gunzipSync(Buffer.from(data, "base64")).toString())).toMatchObject({ name: page.name });
  });
});

describe("escapeHtml", () => {
  it("escapes all that ends text or an attribute", () => {
    expect(escapeHtml(`<a b="c" d='e'>&`)).toBe("&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  });
});
