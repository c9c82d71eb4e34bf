// Runs `llmsim serve` with the project's own Python, one process for each different settings.
import { spawn } from "node:child_process";
import { createServer, request } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const PYTHON = process.env.LLMSIM_PYTHON ?? "python3";

const running = new Map();
const doors = [];

/** The address of a server with these settings. */
export function serve(settings = {}) {
  const key = JSON.stringify(settings);
  if (!running.has(key)) running.set(key, start(settings));
  return running.get(key).address;
}

/** The address of a server that answers everything with this status, and tells to ask again at once. */
export const refusing = (status) =>
  serve({ faults: [{ kind: "refuse", status, message: "Not today.", retry_after: 0.01 }] });

/** A server whose first answer has this status; whoever asks again gets what was asked for. */
export async function turns(status) {
  const servers = [await refusing(status), await serve()];
  const asked = [];
  const door = createServer((incoming, outgoing) => {
    asked.push(incoming.url);
    const { method, headers, url } = incoming;
    const onward = request(servers[Math.min(asked.length, 2) - 1] + url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise((listening) => door.listen(0, "127.0.0.1", listening));
  doors.push(door);
  return { url: `http://127.0.0.1:${door.address().port}`, asked };
}

function start(settings) {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-"));
  const config = join(folder, "llmsim.yaml");
  const given = { latency_profile: "instant", target_tokens: 20, grace_s: 0, ...settings };
  writeFileSync(config, JSON.stringify(given));
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("LLMSIM_")));
  const child = spawn(PYTHON, ["-m", "llmsim", "serve", "--port", "0", "--config", config], {
    cwd: folder,
    env: { ...environment, PYTHONPATH: ROOT },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const server = { child, folder, log: "" };
  server.ended = new Promise((done) => child.once("exit", done));
  server.address = new Promise((found, failed) => {
    child.stderr.on("data", (data) => {
      server.log += data;
      const match = /serving on (http:\/\/\S+)/.exec(server.log);
      if (match) found(match[1]);
    });
    child.once("error", failed);
    child.once("exit", () => failed(new Error(`llmsim did not start:\n${server.log}`)));
  });
  return server;
}

after(async () => {
  for (const door of doors) {
    door.close();
    door.closeAllConnections();
  }
  const servers = [...running.values()];
  for (const server of servers) server.child.kill();
  await Promise.all(servers.map((server) => server.ended));
  for (const server of servers) rmSync(server.folder, { recursive: true });
  const failed = servers.find((server) => server.log.includes("Traceback"));
  if (failed) throw new Error(failed.log);
});

// A run that is broken off ends its servers too.
process.once("exit", () => running.forEach((server) => server.child.kill()));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
