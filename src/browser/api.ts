import type { CaptureListEntry, CapturePage } from "../schema/page.ts";

/** What the browser's routes answer; the viewer imports these types and nothing else from here. */

/** `GET /api/captures` and `POST /api/rescan`. */
export interface CaptureListAnswer {
  /** The directory that is looked at, as it was given. */
  root: string;
  captures: CaptureListEntry[];
  /** What could not be done, for example a report that could not be written. English sentences. */
  notes: string[];
}

/** `GET /api/captures/NAME`. */
export type CapturePageAnswer = CapturePage;

/** `GET /api/captures/NAME/text/FILE?start=&end=`: a part of a file as text, cut at whole characters. */
export interface TextRangeAnswer {
  text: string;
  start: number;
  /** Byte behind the last one of `text`. */
  end: number;
  sizeBytes: number;
}

/** Any answer that is no success. */
export interface ErrorAnswer {
  error: string;
}
