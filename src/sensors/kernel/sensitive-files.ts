import { sensitivePaths } from "../../workspace/sensitive-paths.ts";

/** What every container has that is worth stealing, besides the user's patterns. Without the leading slash. */
const CONTAINER_SECRETS = [
  "proc/*/environ",
  "proc/*/mem",
  "proc/*/task/*/{environ,mem}",
  "proc/kcore",
  "proc/kallsyms",
  "etc/{shadow,gshadow,sudoers}{,-}",
  "etc/sudoers.d/**",
  "etc/ssh/ssh_host_*_key",
  "etc/ssl/private/**",
  "{,var/}run/secrets/**",
  "{,var/}run/{docker,containerd/containerd,podman/podman}.sock",
  "root/**",
];

const WORKSPACE = "/workspace/";
const MAX_CACHED = 20_000;

/**
 * Says of an absolute path of the container whether it is sensitive. Patterns without a leading star-star are about the
 * workspace only: `config/**` does not mean the container's /config.
 */
export function sensitiveFiles(patterns: readonly string[]): (path: string) => boolean {
  const inside = sensitivePaths(patterns);
  const outside = sensitivePaths([...patterns.filter((pattern) => pattern.startsWith("**/")), ...CONTAINER_SECRETS]);
  const known = new Map<string, boolean>();
  return (path) => {
    const cached = known.get(path);
    if (cached !== undefined) return cached;
    const fits = path.startsWith(WORKSPACE) ? inside(path.slice(WORKSPACE.length)) : outside(path.replace(/^\/+/, ""));
    // The patterns are slow beside all else that is done for a record, and paths come again and again.
    if (known.size >= MAX_CACHED) known.clear();
    known.set(path, fits);
    return fits;
  };
}
