// A hub of models as the public one answers: repositories by commit, files behind redirects to another host, reasons for what it refuses.
import type { ServerResponse } from "node:http";
import { answer, serve, type TestServer } from "../checkpoint/support.ts";

export interface Repository {
  /** Name of a branch or tag → its commit. */
  readonly revisions: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Only its members may read it: listed, but its files are refused. */
  readonly gated?: boolean;
}

export interface Hub {
  readonly url: string;
  /** What was asked of the hub, and of the host that its files lie on. */
  readonly asked: TestServer["requests"];
  readonly fetched: TestServer["requests"];
  /** Answers nothing from here on. */
  silence(): void;
  close(): Promise<void>;
}

const COMMIT_OF = "x-repo-commit";

export async function serveHub(repositories: Readonly<Record<string, Repository>>, { commitInHeader = false } = {}): Promise<Hub> {
  let silent = false;
  const cors = (response: ServerResponse) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "X-Repo-Commit, X-Error-Message, ETag, Content-Range, Accept-Ranges");
  };
  const files = await serve((request, response) => {
    cors(response);
    const [, owner, name, ...path] = decodeURIComponent(new URL(request.url ?? "", "http://hub").pathname).split("/");
    const data = repositories[`${owner}/${name}`]?.files[path.join("/")];
    if (data) answer(request, response, data);
    else response.writeHead(404).end();
  });
  const origin = (server: TestServer) => new URL(server.url).origin;
  const hub = await serve((request, response) => {
    if (silent) return void request.socket.destroy();
    cors(response);
    const refuse = (status: number, message: string) => response.writeHead(status, { "x-error-message": message }).end(JSON.stringify({ error: message }));
    const path = new URL(request.url ?? "", "http://hub").pathname;
    const [, owner, name, revision = ""] = /^\/api\/models\/([^/]+)\/([^/]+)\/revision\/([^/]+)$/.exec(path) ?? [];
    const [, resolved, at = "", file = ""] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? [];
    const repository = repositories[resolved ?? `${owner}/${name}`];
    // The public hub tells nobody which private repositories there are.
    if (!repository) return void refuse(401, "Repository not found");
    const wanted = decodeURIComponent(resolved ? at : revision);
    const commit = repository.revisions[wanted] ?? Object.values(repository.revisions).find((sha) => sha === wanted);
    if (!commit) return void refuse(404, `Invalid rev id: ${wanted}`);
    if (!resolved) {
      const siblings = Object.keys(repository.files).map((rfilename) => ({ rfilename }));
      response.writeHead(200, { "content-type": "application/json", ...(commitInHeader && { [COMMIT_OF]: commit }) });
      return void response.end(JSON.stringify({ ...(!commitInHeader && { sha: commit }), siblings }));
    }
    if (repository.gated) return void refuse(403, `Access to model ${resolved} is restricted.`);
    if (!repository.files[decodeURIComponent(file)]) return void refuse(404, "Entry not found");
    response.writeHead(302, { location: `${origin(files)}/${resolved}/${file}`, [COMMIT_OF]: commit }).end();
  });
  return {
    url: origin(hub),
    asked: hub.requests,
    fetched: files.requests,
    silence: () => {
      silent = true;
    },
    close: async () => {
      await Promise.all([hub.close(), files.close()]);
    },
  };
}
