// Connects to an address, without any name.
import { connect } from "node:net";

const [tag, n] = [process.argv[2], Number(process.argv[3])];
let done = 0;
for (let i = 0; i < n; i++) {
  const code = await new Promise((resolve) => {
    connect({ host: `127.0.4.${1 + (i % 250)}`, port: 21012 }).once("error", (error) => resolve(error.code));
  });
  if (code === "ECONNREFUSED") done++;
}
console.log("RECALL", JSON.stringify({ case: "literal.mjs", tag, n, done }));
