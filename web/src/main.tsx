import { render } from "preact";
import { App } from "./app.tsx";
import { createSource } from "./source.ts";
import "./style/base.css";
import "./style/layout.css";
import "./style/components.css";

const root = document.getElementById("app");
if (root !== null) render(<App source={createSource()} />, root);
