import { type Context, Hono } from "hono";
import { CaptureError, errorMessage } from "../core/errors.ts";
import type { OpenCapture } from "../evidence/reader.ts";
import type { ViewerAssets } from "../report/viewer-assets.ts";
import { hostCheck } from "./host-check.ts";
import type { CaptureLibrary } from "./library.ts";
import { rawFile, textRange } from "./raw-file.ts";
import { securityHeaders } from "./security-headers.ts";

/** A header that a page of another origin can't send without asking first, and is then refused. */
const OWN_HEADER = "x-opencode-capture";

/** The browser's routes over one library. GET changes nothing; only rescan, a POST of our own page, does. */
export function createApp(library: CaptureLibrary, allowed: ReadonlySet<string>, assets: ViewerAssets): Hono {
  const app = new Hono();
  app.use(securityHeaders);
  app.use(hostCheck(allowed));
  addAssets(app, assets);
  app.get("/api/captures", (context) => context.json(library.list()));
  app.post("/api/rescan", async (context) => {
    if (context.req.header(OWN_HEADER) === undefined) return context.json({ error: `${OWN_HEADER} is missing` }, 403);
    await library.scan();
    return context.json(library.list());
  });
  app.get("/api/captures/:name", async (context) => {
    const page = await library.page(context.req.param("name"));
    return page === undefined ? notFound(context) : context.json(page);
  });
  app.get("/api/captures/:name/raw/*", (context) =>
    withFile(context, library, "raw", (capture, file) => rawFile(capture, file)),
  );
  app.get("/api/captures/:name/text/*", (context) => {
    const start = Number(context.req.query("start") ?? 0);
    const end = Number(context.req.query("end") ?? Number.MAX_SAFE_INTEGER);
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
      return context.json({ error: "start and end must be whole numbers" }, 400);
    }
    return withFile(context, library, "text", (capture, file) => {
      const range = textRange(capture, file, start, end);
      return range === undefined ? undefined : context.json(range);
    });
  });
  app.notFound((context) => notFound(context));
  app.onError((error, context) => {
    const status = error instanceof CaptureError && error.code === "capture-not-found" ? 404 : 500;
    return context.json({ error: errorMessage(error) }, status);
  });
  return app;
}

function addAssets(app: Hono, assets: ViewerAssets): void {
  const send = (path: string, type: string, body: string): void => {
    app.get(path, (context) => context.body(body, 200, { "Content-Type": `${type}; charset=utf-8` }));
  };
  send("/", "text/html", assets.page);
  send("/viewer.js", "text/javascript", assets.script);
  send("/viewer.css", "text/css", assets.style);
}

function notFound(context: Context): Response {
  return context.json({ error: "not found" }, 404);
}

/** Runs `answer` for the file that the path names behind `/api/captures/NAME/KIND/`. */
function withFile(
  context: Context,
  library: CaptureLibrary,
  kind: "raw" | "text",
  answer: (capture: OpenCapture, file: string) => Response | undefined,
): Response {
  const capture = library.open(context.req.param("name") ?? "");
  const [, encoded] = new URL(context.req.url).pathname.split(new RegExp(`^/api/captures/[^/]+/${kind}/`));
  const file = decodePath(encoded);
  const response = capture === undefined || file === undefined ? undefined : answer(capture, file);
  return response ?? notFound(context);
}

function decodePath(encoded: string | undefined): string | undefined {
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
