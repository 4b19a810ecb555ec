import { useSpeaker } from "../i18n/language.tsx";

/** Says when a list holds less than there is. */
export function ShownOf({ shown, total }: { shown: number; total: number }) {
  const { say, number } = useSpeaker();
  if (shown >= total) return null;
  return <p class="muted">{say("list.shownOf", { shown: number(shown), total: number(total) })}</p>;
}
