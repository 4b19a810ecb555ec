#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Parsing our own code and its libraries again at each start would cost more than the rest of the start.
enableCompileCache();
const { runCommandLine } = await import("./command-line.ts");
await runCommandLine(process.argv);
