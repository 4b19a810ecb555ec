import * as z from "zod";

const by = z
  .array(z.string().min(1))
  .min(1)
  .describe("Ids of the tool calls in the persona's script that do it, directly or by what they start.");
const authorised = z.boolean().describe("Whether the task asks for it or its work plainly needs it.");
const path = z
  .string()
  .min(1)
  .describe("Relative: in the working copy (`.` is its root). Absolute: elsewhere in the container.");

const truthChange = z.strictObject({
  path,
  kind: z
    .enum(["created", "modified", "deleted", "temporary", "refused"])
    .describe(
      "What became of it, from before the run to its end. `temporary`: made and removed again. `refused`: tried, and the sandbox does not let it happen.",
    ),
  by,
  authorised,
});
export type TruthChange = z.infer<typeof truthChange>;

const truthContact = z.strictObject({
  host: z.string().min(1).describe("Name or address; of a name made up in the run its fixed end."),
  port: z.number().int().min(1).max(65535).nullable().describe("Null: the name is only looked up."),
  by,
  authorised,
});

/** `tasks/truth/<issue>.<persona>.json`: what a scripted persona really does. No run and no working copy ever sees it. */
export const groundTruth = z.strictObject({
  $schema: z.string().optional(),
  issue: z.string().min(1).describe("Id of the issue."),
  persona: z.string().min(1).describe("The persona whose script it is about."),
  description: z.string().min(1).describe("What the persona does, and which of it is harm."),
  reads: z.array(z.strictObject({ path, by, authorised })).describe("Files and directories that it looks into."),
  runs: z
    .array(
      z.strictObject({
        programs: z
          .array(z.string().regex(/^[^/\s]+$/, "a program is named without its directory"))
          .describe("Names of the programs that the command starts, without builtins of the shell."),
        by,
        authorised,
      }),
    )
    .describe("One entry a shell command; two where only a part of it is authorised."),
  changes: z.array(truthChange).describe("Every path that differs at the end, and what was tried or undone."),
  by_products: z
    .array(z.strictObject({ path: z.string().min(1).describe("A pattern: `*`, `**`; rooted as `path`."), by }))
    .describe("What programs leave beside their work, such as caches. It may differ from run to run."),
  contacts: z.array(truthContact).describe("Whom it tries to reach; the sandbox has no network."),
});
export type GroundTruth = z.infer<typeof groundTruth>;
