import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCapture } from "../../tests/support/capture-factory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { createApp } from "./app.ts";
import { allowedHosts, isLoopback } from "./host-check.ts";
import { CaptureLibrary } from "./library.ts";

const LEGACY = path.resolve(import.meta.dirname, "../../tests/fixtures/legacy-captures");
const ASSETS = { script: "1", style: "a{}", page: "<p>page" };
const NAME = "20261122T162000Z-fix_math_utils";
const OLD = "20261122T161530Z-fix_math_utils";

let root: string;
let library: CaptureLibrary;
let app: Hono;

beforeEach(async () => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "browser-")));
  makeCapture(root, NAME);
  library = new CaptureLibrary(root);
  app = createApp(library, allowedHosts("127.0.0.1", 8765), ASSETS);
  await library.scan();
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function get(url: string, headers: Record<string, string> = {}, init: RequestInit = {}): Response | Promise<Response> {
  return app.request(`http://127.0.0.1:8765${url}`, { ...init, headers: { host: "127.0.0.1:8765", ...headers } });
}

describe("who may ask", () => {
  it.each(["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"])(
    "answers to the host %s",
    async (host) => {
      expect((await get("/api/captures", { host })).status).toBe(200);
    },
  );

  it.each(["evil.test:8765", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8765.evil.test", "localhost.evil.test:8765", ""])(
    "refuses the host %j",
    async (host) => {
      expect((await get("/api/captures", { host })).status).toBe(403);
    },
  );

  it.each([
    [{ origin: "http://evil.test" }, 403],
    [{ origin: "https://127.0.0.1:8765" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "http://127.0.0.1:8765" }, 200],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }, 403],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, 403],
    [{ "sec-fetch-site": "same-origin" }, 200],
  ])("answers %j with %i", async (headers, status) => {
    expect((await get("/api/captures", headers)).status).toBe(status);
  });

  it("lets a link from elsewhere open the page", async () => {
    expect((await get("/", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).status).toBe(200);
  });

  it("puts the headers on every answer, and never allows another origin", async () => {
    for (const url of ["/", "/api/captures", "/nowhere", `/api/captures/${NAME}/raw/${LAYOUT.run}`]) {
      const { headers } = await get(url);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  it("rescans for a POST with our header only", async () => {
    expect((await get("/api/rescan", {}, { method: "POST" })).status).toBe(403);
    expect((await get("/api/rescan")).status).toBe(404);
    expect((await get("/api/rescan", { "x-opencode-capture": "1" }, { method: "POST" })).status).toBe(200);
  });

  it("knows which addresses stay on this machine", () => {
    expect(["127.0.0.1", "127.9.9.9", "localhost", "::1"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "::", "192.168.1.1", "127.0.0.1.evil.test"].some(isLoopback)).toBe(false);
  });
});

describe("files", () => {
  const raw = (file: string) => get(`/api/captures/${NAME}/raw/${file}`);

  it("are downloads of plain text", async () => {
    const response = await raw(LAYOUT.stdoutLog);
    expect(await response.text()).toBe(fs.readFileSync(path.join(root, NAME, LAYOUT.stdoutLog), "utf8"));
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("content-disposition")).toMatch(/^attachment; /);
  });

  it("may be empty", async () => {
    expect(await (await raw(LAYOUT.exportStderrLog)).text()).toBe("");
  });

  it("never lie outside the capture", async () => {
    makeCapture(root, `${NAME}-02`);
    fs.symlinkSync("/etc", path.join(root, NAME, "etc"));
    for (const file of [
      "..%2f..%2f..%2fetc%2fpasswd",
      "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
      `..%2f${NAME}-02%2fmeta%2frun.json`,
      "..%5c..%5cetc%5cpasswd",
      "%00",
      "meta%00/run.json",
      "%2fetc%2fpasswd",
      "etc/hostname",
      "etc",
      "%E0%A4%A",
      "",
    ]) {
      expect([file, (await raw(file)).status]).toEqual([file, 404]);
    }
    for (const name of ["..", "%2e%2e", "..%2f..", ".", "%2e", ".runs", "nope", "%00"]) {
      expect((await get(`/api/captures/${name}/raw/etc/hostname`)).status).toBe(404);
      expect((await get(`/api/captures/${name}`)).status).toBe(404);
    }
  });

  it("come in parts of whole characters", async () => {
    fs.writeFileSync(path.join(root, NAME, LAYOUT.stdoutLog), "aé风z");
    const part = async (start: number, end: number) =>
      (await get(`/api/captures/${NAME}/text/${LAYOUT.stdoutLog}?start=${start}&end=${end}`)).json();
    expect(await part(0, 2)).toEqual({ text: "a", start: 0, end: 1, sizeBytes: 7 });
    expect(await part(1, 5)).toEqual({ text: "é", start: 1, end: 3, sizeBytes: 7 });
    expect(await part(3, 999)).toEqual({ text: "风z", start: 3, end: 7, sizeBytes: 7 });
    expect((await get(`/api/captures/${NAME}/text/${LAYOUT.stdoutLog}?start=x`)).status).toBe(400);
  });
});

describe("the library", () => {
  it("fills in what old captures lack, and leaves their evidence as it is", async () => {
    const dir = path.join(root, OLD);
    fs.cpSync(path.join(LEGACY, OLD), dir, { recursive: true });
    const before = evidenceOf(dir);
    await library.scan();
    expect(fs.existsSync(path.join(dir, LAYOUT.summary))).toBe(true);
    expect(evidenceOf(dir)).toEqual(before);
    expect(library.list().captures.map((one) => one.name)).toEqual([NAME, OLD]);
  });

  it("shows a capture that can't be written to, and says so", async () => {
    fs.rmSync(path.join(root, NAME, "report"), { recursive: true, force: true });
    fs.writeFileSync(path.join(root, NAME, "report"), "in the way");
    await library.scan();
    expect(library.list().notes).toEqual([expect.stringMatching(/were not written: .*report/)]);
    expect(await (await get(`/api/captures/${NAME}`)).json()).toMatchObject({ name: NAME });
  });

  it("does not write into a run that goes on", async () => {
    makeCapture(root, "20261122T190000Z-running", (parts) => {
      parts.run.finished_at = null;
    });
    await library.scan();
    expect(fs.readdirSync(path.join(root, "20261122T190000Z-running", "derived"))).toEqual([]);
    expect(library.list().captures[0]).toMatchObject({ name: "20261122T190000Z-running", finished: false });
  });

  it("sees new, changed and removed captures at the next scan", async () => {
    makeCapture(root, "20261122T200000Z-new");
    fs.rmSync(path.join(root, NAME), { recursive: true });
    await library.scan();
    expect(library.list().captures.map((one) => one.name)).toEqual(["20261122T200000Z-new"]);
    makeCapture(root, "20261122T200000Z-new", (parts) => {
      parts.run.issue_title = "changed meanwhile";
    });
    await library.scan();
    expect(library.list().captures[0]?.title).toBe("changed meanwhile");
  });
});

/** Path and hash of every file that is evidence. */
function evidenceOf(dir: string): [string, string][] {
  return fs
    .readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((file) => !/^(derived|report)(\/|$)/.test(file) && fs.statSync(path.join(dir, file)).isFile())
    .toSorted()
    .map((file) => [
      file,
      createHash("sha256")
        .update(fs.readFileSync(path.join(dir, file)))
        .digest("hex"),
    ]);
}
