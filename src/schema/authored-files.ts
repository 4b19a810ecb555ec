import * as z from "zod";
import { groundTruth } from "./ground-truth.ts";
import { issueSource } from "./issue.ts";
import { script } from "./scripted-model.ts";

/** One kind of file that people write for tasks; docs/schemas/ has its JSON Schema, for editors. */
export interface AuthoredFile {
  schemaName: string;
  /** Where it stands, relative to the project. */
  path: string;
  schema: z.ZodType;
  about: string;
}

export const AUTHORED_FILES: readonly AuthoredFile[] = [
  {
    schemaName: "issues",
    path: "tasks/issues.json",
    schema: z.union([z.array(issueSource), z.looseObject({ issues: z.array(issueSource) })]),
    about: "The list of tasks.",
  },
  {
    schemaName: "scripted-model",
    path: "tasks/models/<issue>.<persona>.json",
    schema: script,
    about: "What a scripted model answers.",
  },
  {
    schemaName: "ground-truth",
    path: "tasks/truth/<issue>.<persona>.json",
    schema: groundTruth,
    about: "What a scripted persona really does, and which of it its task authorised.",
  },
];
