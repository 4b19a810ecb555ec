import * as z from "zod";

/** Columns that OpenCode 1.18 has and that an export is made of. */
const text = z.string();
const optionalText = z.string().nullable();
const number = z.number();
const optionalNumber = z.number().nullable();

export const sessionRow = z.looseObject({
  id: text,
  slug: text,
  project_id: text,
  workspace_id: optionalText,
  directory: text,
  path: optionalText,
  parent_id: optionalText,
  title: text,
  agent: optionalText,
  model: optionalText,
  version: text,
  share_url: optionalText,
  summary_additions: optionalNumber,
  summary_deletions: optionalNumber,
  summary_files: optionalNumber,
  summary_diffs: optionalText,
  metadata: optionalText,
  cost: number,
  tokens_input: number,
  tokens_output: number,
  tokens_reasoning: number,
  tokens_cache_read: number,
  tokens_cache_write: number,
  revert: optionalText,
  permission: optionalText,
  time_created: number,
  time_updated: number,
  time_compacting: optionalNumber,
  time_archived: optionalNumber,
});
export type SessionRow = z.infer<typeof sessionRow>;

export const messageRow = z.looseObject({ id: text, session_id: text, time_created: number, data: text });
export type MessageRow = z.infer<typeof messageRow>;

export const partRow = z.looseObject({ id: text, message_id: text, session_id: text, data: text });
export type PartRow = z.infer<typeof partRow>;

/** Tables and the columns that must be there. */
export const TABLES = { session: sessionRow, message: messageRow, part: partRow } as const;

const model = z.looseObject({ id: z.unknown(), providerID: z.unknown(), variant: z.unknown() }).partial();
const revert = z
  .looseObject({ messageID: z.unknown(), partID: z.unknown(), snapshot: z.unknown(), diff: z.unknown() })
  .partial();

/**
 * The `info` object of `opencode export`. The order of the keys is part of the format (the export is compared byte for
 * byte), and a column that is null is a key that is absent.
 * @throws when a column that holds JSON does not.
 */
export function sessionInfo(row: SessionRow): Record<string, unknown> {
  return {
    id: row.id,
    slug: row.slug,
    projectID: row.project_id,
    workspaceID: row.workspace_id ?? undefined,
    directory: row.directory,
    path: row.path ?? undefined,
    parentID: row.parent_id ?? undefined,
    title: row.title,
    agent: row.agent ?? undefined,
    model: modelOf(row.model),
    version: row.version,
    summary: summaryOf(row),
    cost: row.cost,
    tokens: {
      input: row.tokens_input,
      output: row.tokens_output,
      reasoning: row.tokens_reasoning,
      cache: { read: row.tokens_cache_read, write: row.tokens_cache_write },
    },
    share: row.share_url ? { url: row.share_url } : undefined,
    metadata: json(row.metadata),
    revert: revertOf(row.revert),
    permission: json(row.permission),
    time: {
      created: row.time_created,
      updated: row.time_updated,
      compacting: row.time_compacting ?? undefined,
      archived: row.time_archived ?? undefined,
    },
  };
}

/** The `info` object of a message. */
export function messageInfo(row: MessageRow): Record<string, unknown> {
  return { ...members(row.data), id: row.id, sessionID: row.session_id };
}

/** A part of a message. */
export function messagePart(row: PartRow): Record<string, unknown> {
  return { ...members(row.data), id: row.id, sessionID: row.session_id, messageID: row.message_id };
}

function summaryOf(row: SessionRow): unknown {
  if (row.summary_additions === null && row.summary_deletions === null && row.summary_files === null) return undefined;
  return {
    additions: row.summary_additions ?? 0,
    deletions: row.summary_deletions ?? 0,
    files: row.summary_files ?? 0,
    diffs: json(row.summary_diffs),
  };
}

function modelOf(column: string | null): unknown {
  const value = json(column);
  if (value === undefined) return undefined;
  const { id, providerID, variant } = model.parse(value);
  return { id, providerID, variant };
}

function revertOf(column: string | null): unknown {
  const value = json(column);
  if (value === undefined) return undefined;
  const { messageID, partID, snapshot, diff } = revert.parse(value);
  return { messageID, partID: partID || undefined, snapshot, diff };
}

function json(column: string | null): unknown {
  if (column === null) return undefined;
  return JSON.parse(column) ?? undefined;
}

/** The members of a JSON object, in their order, also one called `__proto__`. */
function members(column: string): Record<string, unknown> {
  const value: unknown = JSON.parse(column);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("a row holds no JSON object");
  return value as Record<string, unknown>;
}
