// A peer of the bench as a process: it says what it can run, then answers a line of JSON with a line of JSON.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { GraphName, Peer, PeerFacts, Samples } from "../bench/peer.ts";

/** Loading and compiling a large network may take minutes; a measurement must not. */
const START_MS = 240_000;
const ANSWER_MS = 60_000;

export class PeerProcess implements Peer {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #waiting: ((line: string | Error) => void) | undefined;
  #ended: Error | undefined;
  readonly #facts: Promise<PeerFacts>;
  #said = "";

  /** `command` is the shell's. It starts at once, so that it is ready when it is needed. */
  constructor(command: string) {
    // A group of its own: what the shell started ends with it.
    this.#child = spawn(command, { shell: true, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr?.on("data", (text) => {
      this.#said = `${this.#said}${text}`.slice(-2000);
    });
    this.#child.stdin?.on("error", () => undefined);
    const end = (why: string) => {
      this.#ended ??= new Error(`${why}${this.#said ? `: ${this.#said.trim().split("\n").at(-1)}` : ""}`);
      this.#waiting?.(this.#ended);
    };
    this.#child.on("error", ({ message }) => end(message));
    this.#child.on("close", (code) => end(`the peer ended with code ${code}`));
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        if (this.#waiting) this.#waiting(line);
        else this.#lines.push(line);
      });
    }
    this.#facts = this.#answer<PeerFacts>(START_MS);
    // Met by whoever asks.
    this.#facts.catch(() => undefined);
  }

  facts(): Promise<PeerFacts> {
    return this.#facts;
  }

  async time(variant: string, graph: GraphName, runs: number): Promise<Samples> {
    this.#child.stdin?.write(`${JSON.stringify({ variant, graph, runs })}\n`);
    const answer = await this.#answer<Samples & { readonly failed?: string }>(ANSWER_MS);
    if (answer.failed !== undefined) throw new Error(answer.failed);
    return answer;
  }

  async #answer<T>(limitMs: number): Promise<T> {
    const line = this.#lines.shift() ?? this.#ended ?? (await this.#next(limitMs));
    if (line instanceof Error) throw line;
    return JSON.parse(line) as T;
  }

  #next(limitMs: number): Promise<string | Error> {
    return new Promise((resolve) => {
      const settle = (line: string | Error) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(line);
      };
      const timer = setTimeout(() => {
        this.end();
        settle(new Error(`the peer gave no answer within ${limitMs / 1000} s`));
      }, limitMs);
      this.#waiting = settle;
    });
  }

  end(): void {
    this.#ended ??= new Error("the peer was ended");
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It is gone.
    }
  }
}
