// Starts the program under test and talks to it frame by frame.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";
import { WebSocket } from "ws";

const binary = process.env.ECHO_SERVER;
if (!binary) throw new Error("ECHO_SERVER must name the protocol_echo_server program");

/** One server on a free port: `{port, http, ws, stop}`. */
export async function startServer() {
  const child = spawn(binary, ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise((resolve, reject) => {
    lines.once("line", (line) => resolve(Number(/^listening on (\d+)$/.exec(line)[1])));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return {
    port,
    http: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    alive: () => child.exitCode === null && child.signalCode === null,
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners("exit");
        child.once("exit", (code) => resolve(code));
        child.kill("SIGTERM");
      }),
  };
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A WebSocket whose frames wait until they are asked for. */
export class FrameSocket {
  constructor(url) {
    this.frames = [];
    this.waiting = [];
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket.on("message", (data, isBinary) => this.#push(isBinary ? data : data.toString()));
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("error", reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.once("close", (code) => {
        for (const waiter of this.waiting.splice(0)) waiter.reject(new Error(`closed with ${code}`));
        resolve(code);
      });
    });
  }
  #push(frame) {
    const waiter = this.waiting.shift();
    if (waiter) waiter.resolve(frame);
    else this.frames.push(frame);
  }
  send(data) {
    this.socket.send(data);
  }
  next() {
    if (this.frames.length) return Promise.resolve(this.frames.shift());
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }
  /** The next frame that is no heartbeat of the server; answers those. */
  async nextPacket() {
    for (;;) {
      const frame = await this.next();
      if (frame !== "2") return frame;
      this.send("3");
    }
  }
  close() {
    this.socket.close();
    return this.closed;
  }
}

/** One revision's way of writing packets into bodies and frames. */
export const revisions = {
  3: {
    eio: 3,
    body: (...packets) => packets.map((p) => `${p.length}:${p}`).join(""),
    base64: (bytes) => `b4${Buffer.from(bytes).toString("base64")}`,
    frame: (bytes) => Buffer.from([4, ...bytes]),
  },
  4: {
    eio: 4,
    body: (...packets) => packets.join("\x1e"),
    base64: (bytes) => `b${Buffer.from(bytes).toString("base64")}`,
    frame: (bytes) => Buffer.from(bytes),
  },
};

/** Packets of a text body. */
export function split(eio, body) {
  if (eio === 4) return body.split("\x1e");
  const packets = [];
  while (body !== "") {
    const colon = body.indexOf(":");
    const length = Number(body.slice(0, colon));
    packets.push(body.slice(colon + 1, colon + 1 + length));
    body = body.slice(colon + 1 + length);
  }
  return packets;
}

/** A polling session made by hand. */
export class Poller {
  constructor(server, path, eio, extra = "") {
    this.base = `${server.http}${path}?EIO=${eio}&transport=polling`;
    this.wsBase = `${server.ws}${path}?EIO=${eio}&transport=websocket`;
    this.eio = eio;
    this.extra = extra;
  }
  async open() {
    const response = await fetch(this.base + this.extra);
    assert.equal(response.status, 200);
    const [packet, ...others] = split(this.eio, await response.text());
    assert.equal(packet[0], "0");
    this.handshake = JSON.parse(packet.slice(1));
    this.others = others;
    this.url = `${this.base}&sid=${this.handshake.sid}`;
    this.wsUrl = `${this.wsBase}&sid=${this.handshake.sid}`;
    return this;
  }
  get(options) {
    return fetch(this.url, options);
  }
  post(body, headers = { "content-type": "text/plain;charset=UTF-8" }) {
    return fetch(this.url, { method: "POST", body, headers });
  }
}
