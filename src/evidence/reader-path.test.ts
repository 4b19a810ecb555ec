import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listFiles, openRegular, safeParts } from "./reader-path.ts";

let root: string;
let outside: string;

beforeEach(() => {
  const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "reader-")));
  root = path.join(base, "capture");
  outside = path.join(base, "capture-of-another");
  fs.mkdirSync(path.join(root, "logs"), { recursive: true });
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(root, "logs", "a.log"), "inside");
  fs.writeFileSync(path.join(outside, "secret"), "outside");
});

afterEach(() => fs.rmSync(path.dirname(root), { recursive: true, force: true }));

function failureOf(file: string): string | undefined {
  const opened = openRegular(root, file);
  if (!opened.ok) return opened.failure;
  fs.closeSync(opened.fd);
  return undefined;
}

describe("openRegular", () => {
  it("opens a regular file", () => {
    const opened = openRegular(root, "logs/a.log");
    expect(opened.ok && fs.readFileSync(opened.fd, "utf8")).toBe("inside");
    if (opened.ok) fs.closeSync(opened.fd);
  });

  it.each([
    "../capture-of-another/secret",
    "logs/../../capture-of-another/secret",
    "/etc/passwd",
    "",
    ".",
    "logs//a.log",
    "a\0b",
  ])("refuses the name %j", (name) => {
    expect(failureOf(name)).toBe("outside");
  });

  it("follows no link, whether the file or a directory on the way is one", () => {
    fs.symlinkSync(path.join(outside, "secret"), path.join(root, "link"));
    fs.symlinkSync(outside, path.join(root, "dir"));
    fs.symlinkSync("a.log", path.join(root, "logs", "same-directory"));
    expect(failureOf("link")).toBe("not-regular");
    expect(failureOf("dir/secret")).toBe("not-regular");
    expect(failureOf("logs/same-directory")).toBe("not-regular");
  });

  it("does not wait for a pipe and opens no socket, device or directory", () => {
    execFileSync("mkfifo", [path.join(root, "pipe")]);
    const server = net.createServer().listen(path.join(root, "socket"));
    try {
      expect(failureOf("pipe")).toBe("not-regular");
      expect(failureOf("logs")).toBe("not-regular");
    } finally {
      server.close();
    }
  });

  it("says when there is nothing", () => {
    expect(failureOf("logs/none")).toBe("missing");
    expect(failureOf("logs/a.log/deeper")).toBe("not-regular");
  });
});

describe("safeParts", () => {
  it("takes odd but harmless names", () => {
    expect(safeParts("...")).toEqual(["..."]);
    expect(safeParts("a/..b/c..")).toEqual(["a", "..b", "c.."]);
  });
});

describe("listFiles", () => {
  it("lists regular files only and says when there are more", () => {
    fs.symlinkSync(outside, path.join(root, "dir"));
    fs.mkdirSync(path.join(root, "workspace"));
    fs.writeFileSync(path.join(root, "workspace", "x"), "");
    fs.writeFileSync(path.join(root, "logs", "b.log"), "12");
    expect(listFiles(root, ["workspace"], 10)).toEqual({
      files: [
        { path: "logs/a.log", sizeBytes: 6 },
        { path: "logs/b.log", sizeBytes: 2 },
      ],
      truncated: false,
    });
    expect(listFiles(root, ["workspace"], 1).truncated).toBe(true);
  });
});
