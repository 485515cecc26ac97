// Parses a recording with asciinema-player's own parser and prints what it got.
// Arguments: the folder of the package asciinema-player, the parser, the file.
import fs from "node:fs";
import path from "node:path";
import url from "node:url";

const [folder, name, file] = process.argv.slice(2);
const dist = path.join(folder, "dist");
const core = fs.readdirSync(dist).find((f) => f.startsWith("core-") && f.endsWith(".js"));
// The parsers are not exported: a copy of the module beside it exports them.
const copy = path.join(dist, `parsers-${process.pid}.mjs`);
fs.writeFileSync(copy, fs.readFileSync(path.join(dist, core), "utf8") + "\nexport { PARSERS };\n");
try {
  const { PARSERS } = await import(url.pathToFileURL(copy));
  const rec = await PARSERS.get(name)(new Response(fs.readFileSync(file)), {});
  const events = [];
  for await (const [time, code, data] of rec.events) events.push([time, code, data]);
  console.log(JSON.stringify({ cols: rec.cols, rows: rec.rows, events }));
} finally {
  fs.unlinkSync(copy);
}
