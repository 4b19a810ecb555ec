import type { FileOperation } from "../../schema/attribution.ts";
import { BoundedMap } from "./bounded.ts";

interface Touched {
  path: string;
  operations: FileOperation[];
  sensitive: boolean;
}

/** Files with what was done to them, each once. */
export class FileTouches {
  readonly #files: BoundedMap<Touched>;

  constructor(max: number) {
    this.#files = new BoundedMap(max);
  }

  add(path: string, operation: FileOperation, sensitive: boolean): void {
    const file = this.#files.get(path, () => ({ path, operations: [], sensitive }));
    if (file !== undefined && !file.operations.includes(operation)) file.operations.push(operation);
  }

  get total(): number {
    return this.#files.size + this.#files.missed;
  }

  list(): Touched[] {
    return this.#files.values();
  }
}
