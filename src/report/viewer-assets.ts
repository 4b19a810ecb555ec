import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { PACKAGE_ROOT } from "../core/package-root.ts";

/** The built viewer: one script and one style sheet, the same for reports and the browser. */
export interface ViewerAssets {
  script: string;
  style: string;
  /** Page of the browser, which loads the two by URL. */
  page: string;
}

const DIST = path.join(PACKAGE_ROOT, "web", "dist");
let known: ViewerAssets | undefined;

/**
 * @throws CaptureError `setup` when the viewer was not built yet.
 */
export function viewerAssets(): ViewerAssets {
  const read = (name: string): string => fs.readFileSync(path.join(DIST, name), "utf8");
  try {
    known ??= { script: read("viewer.js"), style: read("viewer.css"), page: read("index.html") };
    return known;
  } catch (error) {
    throw new CaptureError("setup", `the viewer is not built: ${DIST} is not complete`, {
      cause: error,
      hint: "npm run build:web",
    });
  }
}
