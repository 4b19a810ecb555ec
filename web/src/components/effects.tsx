import type { ComponentChildren } from "preact";
import type { Attribution, CallEffects } from "../../../src/schema/attribution.ts";
import { useSpeaker } from "../i18n/language.tsx";
import { Chip } from "./chip.tsx";
import { Facts, Section } from "./section.tsx";
import { Text } from "./text.tsx";

/** One list of effects; what was cut is counted. */
function List<T>({
  title,
  total,
  items,
  children,
}: {
  title: string;
  total: number;
  items: readonly T[];
  children: (item: T) => ComponentChildren;
}) {
  const { say, number } = useSpeaker();
  if (total === 0) return null;
  return (
    <>
      <h4 class="effects-head">
        {title} <span class="muted">{number(total)}</span>
      </h4>
      <ul class="plain-list">
        {items.map((item, index) => (
          <li key={index}>{children(item)}</li>
        ))}
        {total > items.length && <li class="muted">{say("effects.more", { count: number(total - items.length) })}</li>}
      </ul>
    </>
  );
}

const mono = (one: string): ComponentChildren => <Text value={one} mono />;

/** What a tool call really did, as the kernel saw it. */
export function Effects({ effects }: { effects: CallEffects | null }) {
  const { say } = useSpeaker();
  if (effects === null) return <p class="muted">{say("effects.none")}</p>;
  const { method, confidence, exit_code: code, signal } = effects;
  const livedOn =
    effects.finished_at !== null &&
    effects.last_effect_at !== null &&
    Date.parse(effects.last_effect_at) > Date.parse(effects.finished_at);
  const tied = method === null ? null : say(`effects.method.${method}`);
  return (
    <>
      <Facts
        rows={[
          [say("effects.how"), confidence === "medium" ? `${tied} (${say("effects.unsure")})` : tied],
          [say("effects.exit"), signal ?? (code === null ? null : String(code))],
        ]}
      />
      {livedOn && <Chip tone="warn">{say("effects.after")}</Chip>}
      <List title={say("effects.commands")} total={effects.commands_total} items={effects.commands}>
        {mono}
      </List>
      <List title={say("effects.files")} total={effects.files_total} items={effects.files}>
        {(file) => (
          <>
            <Chip tone={file.sensitive ? "warn" : "plain"}>
              {file.operations.map((operation) => say(`effects.op.${operation}`)).join(", ")}
            </Chip>{" "}
            <Text value={file.path} mono />
          </>
        )}
      </List>
      <List title={say("effects.contacts")} total={effects.contacts_total} items={effects.contacts}>
        {(contact) => <Text value={`${contact.remote} ${contact.outcome}`} mono />}
      </List>
      <List title={say("effects.other")} total={effects.other_total} items={effects.other}>
        {mono}
      </List>
    </>
  );
}

/** How much a call did, for its line. */
export function EffectChips({ effects }: { effects: CallEffects | null }) {
  const { say, number } = useSpeaker();
  if (effects === null) return null;
  const changed = effects.files.filter((file) => file.operations.some((one) => one !== "read")).length;
  const counts = [
    [say("effects.commands"), effects.commands_total],
    [say("effects.files"), changed],
    [say("effects.contacts"), effects.contacts_total],
  ] as const;
  return (
    <>
      {counts.map(([name, count]) => count > 0 && <Chip key={name}>{`${name} ${number(count)}`}</Chip>)}
      {effects.files.some((file) => file.sensitive) && <Chip tone="warn">{say("files.sensitive")}</Chip>}
    </>
  );
}

/** The headline of attribution: what no tool call explains. */
export function Unattributed({ attribution }: { attribution: Attribution | null }) {
  const { say, sayCode, number } = useSpeaker();
  if (attribution === null) return null;
  const { attributed, agent_own: own, unattributed: total, unattributed_effects: effects } = attribution;
  const counts = { attributed: number(attributed), own: number(own) };
  if (total === 0) return <p class="explained muted">{say("effects.allExplained", counts)}</p>;
  return (
    <Section title={say("effects.unattributed")} note={say("effects.unattributedNote", counts)}>
      <List title="" total={total} items={effects}>
        {(one) => (
          <>
            <Chip tone="warn">{sayCode("cause", one.why, one.why)}</Chip> <Text value={one.text} mono />
          </>
        )}
      </List>
    </Section>
  );
}
