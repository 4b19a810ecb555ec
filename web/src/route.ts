import { useEffect, useState } from "preact/hooks";

export const TABS = [
  "overview",
  "timeline",
  "tools",
  "processes",
  "files",
  "network",
  "conversation",
  "evidence",
  "logs",
] as const;
export type Tab = (typeof TABS)[number];

/** What the address says. `capture` is undefined for the list. */
export interface Route {
  capture: string | undefined;
  tab: Tab;
}

function isTab(value: string | undefined): value is Tab {
  return TABS.some((tab) => tab === value);
}

function decode(part: string | undefined): string | undefined {
  if (part === undefined || part === "") return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** `#/c/NAME/TAB`; anything else is the list. */
export function parseRoute(hash: string): Route {
  const [path = ""] = hash.replace(/^#\/?/, "").split("?");
  const [kind, name, tab] = path.split("/");
  if (kind !== "c") return { capture: undefined, tab: "overview" };
  return { capture: decode(name), tab: isTab(tab) ? tab : "overview" };
}

export function routeTo(capture: string | undefined, tab: Tab = "overview"): string {
  return capture === undefined ? "#/" : `#/c/${encodeURIComponent(capture)}/${tab}`;
}

function sameOr(old: Route, next: Route): Route {
  return old.capture === next.capture && old.tab === next.tab ? old : next;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const update = (): void => setRoute((old) => sameOr(old, parseRoute(location.hash)));
    addEventListener("hashchange", update);
    // The address may have changed between the first drawing and now.
    update();
    return () => removeEventListener("hashchange", update);
  }, []);
  return route;
}
