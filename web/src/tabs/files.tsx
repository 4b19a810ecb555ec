import { useState } from "preact/hooks";
import type { FileChange } from "../../../src/schema/observations.ts";
import type { CapturePage } from "../../../src/schema/page.ts";
import { Chip } from "../components/chip.tsx";
import { Diff } from "../components/diff.tsx";
import { Filter, matches } from "../components/filter.tsx";
import { Fold, type OpenRows, useOpenRows } from "../components/fold.tsx";
import { Rows } from "../components/rows.tsx";
import { Empty, Facts, Section } from "../components/section.tsx";
import { Seen } from "../components/seen.tsx";
import { Text } from "../components/text.tsx";
import { useSpeaker } from "../i18n/language.tsx";

export function Files({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const [query, setQuery] = useState("");
  const diff = page.summary.observations.filesystem;
  const claimed = new Set(page.summary.files.filter((file) => file.claimed).map((file) => file.path));
  return (
    <>
      <Seen summary={page.summary} kind="file-workspace" />
      <div class="tools-bar">
        <Filter label={say("files.filter")} value={query} onChange={setQuery} />
      </div>
      <Area
        title={say("files.workspace")}
        counts={diff?.counts ?? null}
        changes={diff?.changes ?? []}
        truncated={diff?.truncated === true || page.summary.truncated.includes("changes")}
        claimed={claimed}
        query={query}
      />
      <Excluded page={page} />
      <Seen summary={page.summary} kind="file-outside" />
      {diff?.outside_workspace?.map((area) => (
        <Area
          key={area.root}
          title={say("files.outside", { root: area.root })}
          counts={area.counts}
          changes={area.changes}
          truncated={area.truncated === true}
          claimed={new Set()}
          query={query}
        />
      ))}
    </>
  );
}

function Excluded({ page }: { page: CapturePage }) {
  const { say, bytes } = useSpeaker();
  const excluded = page.summary.observations.filesystem?.excluded ?? [];
  if (excluded.length === 0) return null;
  return (
    <Section title={say("files.excluded")}>
      <ul class="plain-list">
        {excluded.slice(0, 100).map((file) => (
          <li key={file.path}>
            <Text value={file.path} mono /> <span class="muted">{bytes(file.size_bytes)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface AreaProps {
  title: string;
  counts: { created: number; modified: number; deleted: number; renamed: number | null } | null;
  changes: readonly FileChange[];
  truncated: boolean;
  claimed: ReadonlySet<string>;
  query: string;
}

function Area({ title, counts, changes, truncated, claimed, query }: AreaProps) {
  const { say, number } = useSpeaker();
  const open = useOpenRows();
  const shown = changes.filter((change) => matches(query, [change.path, change.change_type]));
  const words = counts && {
    created: number(counts.created),
    modified: number(counts.modified),
    deleted: number(counts.deleted),
  };
  const renamed = counts?.renamed ? ` · ${say("files.renamed", { count: number(counts.renamed) })}` : "";
  return (
    <Section title={title} note={words && `${say("files.counts", words)}${renamed}`}>
      {truncated && <p class="muted">{say("files.cut")}</p>}
      {shown.length === 0 ? (
        <Empty>{say("files.none")}</Empty>
      ) : (
        <Rows
          items={shown}
          keyOf={(change) => change.path}
          label={title}
          row={(change) => <Change change={change} open={open} claimed={claimed.has(change.path)} />}
        />
      )}
    </Section>
  );
}

const LETTER: Record<FileChange["change_type"], string> = { created: "A", modified: "M", deleted: "D" };

/** Added and removed lines of a unified diff. */
function lineCounts(diff: string): string {
  let added = 0;
  let removed = 0;
  for (const line of diff.split("\n")) {
    if (line.startsWith("+") && !line.startsWith("+++")) added++;
    if (line.startsWith("-") && !line.startsWith("---")) removed++;
  }
  return `+${added} −${removed}`;
}

function Change({ change, open, claimed }: { change: FileChange; open: OpenRows; claimed: boolean }) {
  const { say } = useSpeaker();
  return (
    <Fold
      id={change.path}
      rows={open}
      summary={
        <span class="event event-file">
          <span class={`letter letter-${change.change_type}`} title={say(`files.${change.change_type}`)}>
            <span aria-hidden="true">{LETTER[change.change_type]}</span>
            <span class="sr">{say(`files.${change.change_type}`)}</span>
          </span>
          <span class="event-title">
            <Text value={change.path} mono />
          </span>
          <span class="event-end">
            {change.sensitive_path && <Chip tone="warn">{say("files.sensitive")}</Chip>}
            {claimed && <Chip>{say("files.claimed")}</Chip>}
            {change.diff !== undefined && <span class="muted mono">{lineCounts(change.diff)}</span>}
          </span>
        </span>
      }
    >
      {() => <ChangeDetails change={change} />}
    </Fold>
  );
}

function sideOf(type: string | null, mode: string | null, size: string | null, sha256: string | null): string | null {
  const parts = [type, mode, size, sha256].filter((one) => one !== null);
  return parts.length === 0 ? null : parts.join(" · ");
}

function ChangeDetails({ change }: { change: FileChange }) {
  const { say, bytes } = useSpeaker();
  const size = (value: number | null): string | null => (value === null ? null : bytes(value));
  const before = sideOf(change.before_type, change.before_mode, size(change.before_size), change.before_sha256);
  const after = sideOf(change.after_type, change.after_mode, size(change.after_size), change.after_sha256);
  return (
    <>
      <Facts
        rows={[
          [say("files.before"), before === null ? null : <Text value={before} mono />],
          [say("files.after"), after === null ? null : <Text value={after} mono />],
          ["symlink", change.symlink_target === undefined ? null : <Text value={change.symlink_target} mono />],
          ["path_b64", change.path_b64 === undefined ? null : <Text value={change.path_b64} mono />],
        ]}
      />
      {change.renamed_from !== undefined && (
        <p>
          <Text value={say("files.renamedFrom", { path: change.renamed_from })} />
        </p>
      )}
      {change.unstable === true && <p>{say("files.unstable")}</p>}
      {change.diff === undefined ? (
        <p class="muted">{say("files.noDiff", { reason: change.diff_omitted ?? say("files.noDiffUnknown") })}</p>
      ) : (
        <Diff text={change.diff} label={change.path} />
      )}
    </>
  );
}
