// An HTTP proxy on loopback that notes what a browser asks for, whoever in it asks: pages, workers, service workers, the browser itself.
import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly url: string;
  /** Bytes that were sent along. */
  body: number;
}

export interface RecordingProxy {
  readonly address: string;
  readonly requests: readonly Asked[];
  close(): Promise<void>;
}

/** Lets requests to this machine through; whatever is meant for another one is noted and refused. */
export async function recordingProxy(): Promise<RecordingProxy> {
  const requests: Asked[] = [];
  const server = createServer((incoming, response) => {
    const asked = { method: incoming.method ?? "", url: incoming.url ?? "", body: 0 };
    requests.push(asked);
    const { hostname, port, pathname, search } = new URL(asked.url);
    if (hostname !== "127.0.0.1") return void response.writeHead(502).end();
    const outgoing = ask({ hostname, port, path: pathname + search, method: asked.method, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    incoming.on("data", (piece: Buffer) => {
      asked.body += piece.length;
    });
    incoming.pipe(outgoing);
  });
  // Of what is asked for over https only the server's name is seen.
  server.on("connect", ({ url = "" }, socket) => {
    requests.push({ method: "CONNECT", url, body: 0 });
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
