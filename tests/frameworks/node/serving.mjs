// Runs `llmsim serve` with the project's own Python, one process for each different settings.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const PYTHON = process.env.LLMSIM_PYTHON ?? "python3";

const running = new Map();

/** The address of a server with these settings. */
export function serve(settings = {}) {
  const key = JSON.stringify(settings);
  if (!running.has(key)) running.set(key, start(settings));
  return running.get(key).address;
}

/** The address of a server that answers everything with this status. */
export const refusing = (status) => serve({ faults: [{ kind: "refuse", status, message: "Not today." }] });

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
  for (const server of running.values()) {
    server.child.kill();
    await server.ended;
    rmSync(server.folder, { recursive: true });
    if (server.log.includes("Traceback")) throw new Error(server.log);
  }
});
