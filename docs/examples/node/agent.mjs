// An agent outside the suite, with Node's standard library alone: `cmd:node agent.mjs`, or `--http PORT` as a server.
// It reads the words of a world, and takes the commands of a turn one after the other.
import http from "node:http";
import readline from "node:readline";

const episodes = new Map(); // a server may be asked for many episodes at once; each message names its own

function choose(taken, turn) {
  if (!turn.commands?.length) return "Hello. What can I do for you?"; // actions that cannot be listed, such as a desk's
  const key = turn.observation;
  const n = taken.get(key) ?? 0;
  taken.set(key, n + 1);
  return turn.commands[n % turn.commands.length];
}

function answer(message) {
  const { type, version, episode, step } = message;
  const reply = { type, version, episode, step };
  if (type === "hello") Object.assign(reply, { view: "text", name: "in-turn" });
  if (type === "start") episodes.set(episode, new Map());
  if (type === "act") {
    const taken = episodes.get(episode);
    reply.actions = Object.fromEntries(
      Object.entries(message.turns).map(([seat, turn]) => [seat, choose(taken, turn)]),
    );
  }
  if (type === "finish") episodes.delete(episode);
  return JSON.stringify(reply);
}

const at = process.argv.indexOf("--http");
if (at < 0) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", (line) => process.stdout.write(answer(JSON.parse(line)) + "\n"));
} else {
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = answer(JSON.parse(Buffer.concat(parts)));
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  });
  server.listen(Number(process.argv[at + 1]), "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}`);
  });
}
