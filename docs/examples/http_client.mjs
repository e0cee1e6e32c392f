// An outside agent over HTTP in Node, with nothing installed: `node http_client.mjs http://127.0.0.1:8000 [SEED]`.

const [address, seed = "3"] = process.argv.slice(2);

async function ask(path, data) {
  const answer = await fetch(address + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(data),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.error.code}: ${told.error.message}`);
  return told;
}

let now = await ask("/reset", { seed: Number(seed) });
const session_id = now.metadata.session_id;
for (let n = 1; !now.done; n++) {
  const commands = now.observation.commands;
  now = await ask("/step", { session_id, action: { command: commands[(7 * n + 3) % commands.length] } });
}
await ask("/close", { session_id });
console.log(JSON.stringify(now.metadata));
