import { render } from "preact";
import { App } from "./app.tsx";
import { createSource } from "./source.ts";
import "./style/base.css";
import "./style/layout.css";
import "./style/panels.css";
import "./style/rows.css";
import "./style/entries.css";
// Last: it changes what the others say, for narrow windows and forced colours.
import "./style/adapt.css";

const root = document.getElementById("app");
if (root !== null) render(<App source={createSource()} />, root);
