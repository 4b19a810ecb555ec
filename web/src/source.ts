import type { CaptureListAnswer, CapturePageAnswer, ErrorAnswer, TextRangeAnswer } from "../../src/browser/api.ts";
import type { CapturePage } from "../../src/schema/page.ts";

/** Where the viewer gets its data: one page that stands in the file, or a server with many captures. */
export type Source = EmbeddedSource | ServerSource;

export interface EmbeddedSource {
  kind: "embedded";
  load(): Promise<CapturePage>;
}

export interface ServerSource {
  kind: "server";
  list(rescan: boolean): Promise<CaptureListAnswer>;
  load(name: string): Promise<CapturePageAnswer>;
  range(name: string, file: string, start: number, end: number): Promise<TextRangeAnswer>;
  rawUrl(name: string, file: string): string;
}

async function decompress(base64: string): Promise<CapturePage> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  // What stands in the file was written by the program that wrote this viewer.
  return JSON.parse(await new Response(stream).text()) as CapturePage;
}

async function getJson<T>(url: string, init?: RequestInit): Promise<T> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(await failureText(response));
  // Same program, same version on both ends; the server parsed the evidence.
  return (await response.json()) as T;
}

async function failureText(response: Response): Promise<string> {
  // Something between us and the server may answer in another form.
  const body = (await response.json().catch(() => null)) as Partial<ErrorAnswer> | null;
  return typeof body?.error === "string" ? body.error : `HTTP ${response.status}`;
}

function path(name: string): string {
  return `/api/captures/${encodeURIComponent(name)}`;
}

function filePath(file: string): string {
  return file.split("/").map(encodeURIComponent).join("/");
}

/** Embedded data where the page carries some, else the server the page came from. */
export function createSource(): Source {
  const data = document.getElementById("capture-data")?.textContent;
  if (data) return { kind: "embedded", load: () => decompress(data) };
  return {
    kind: "server",
    list: (rescan) =>
      rescan
        ? getJson("/api/rescan", { method: "POST", headers: { "x-opencode-capture": "1" } })
        : getJson("/api/captures"),
    load: (name) => getJson(path(name)),
    range: (name, file, start, end) => getJson(`${path(name)}/text/${filePath(file)}?start=${start}&end=${end}`),
    rawUrl: (name, file) => `${path(name)}/raw/${filePath(file)}`,
  };
}
