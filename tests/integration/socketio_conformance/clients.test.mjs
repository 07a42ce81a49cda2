// Unmodified clients of three major versions, over each way of transport.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { startServer } from "./support.mjs";

const require = createRequire(import.meta.url);
let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  assert.equal(await server.stop(), 0);
});

const versions = { "2.5.0": "socket.io-client-2", "3.1.3": "socket.io-client-3", "4.8.1": "socket.io-client-4" };
const ways = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  "polling, then upgrade": { transports: ["polling", "websocket"] },
};

const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
const asBuffer = (data) => (Buffer.isBuffer(data) ? data : Buffer.from(data));

for (const [version, module] of Object.entries(versions)) {
  const io = require(module);
  assert.equal(require(`${module}/package.json`).version, version);

  for (const [way, options] of Object.entries(ways)) {
    describe(`socket.io-client ${version}, ${way}`, () => {
      const connect = async (nsp = "/", more = {}) => {
        const socket = io(`${server.http}${nsp}`, { ...options, forceNew: true, reconnection: false, ...more });
        const failed = once(socket, version === "2.5.0" ? "error" : "connect_error").then(([error]) => {
          throw error instanceof Error ? error : new Error(String(error));
        });
        failed.catch(() => {});
        await Promise.race([once(socket, "connect"), failed]);
        return socket;
      };
      const ask = (socket, ...args) => new Promise((resolve) => socket.emit("message-with-ack", ...args, (...got) => resolve(got)));

      test("connects to a namespace and gets its auth back", async () => {
        const socket = await connect("/custom", { auth: { token: "x" }, query: { token: "x" } });
        const [auth] = await once(socket, "auth");
        assert.equal(auth.token, "x");
        assert.equal(typeof socket.id, "string");
        socket.close();
      });
      test("is refused at an unknown namespace", async () => {
        await assert.rejects(connect("/random"), /Invalid namespace/);
      });
      test("echoes text, numbers and nested values", async () => {
        const socket = await connect();
        const values = ["€ 😀 \u0000 \"", 1, -1.5, true, null, { a: [{ b: "c" }] }, []];
        const back = once(socket, "message-back");
        socket.emit("message", ...values);
        assert.deepEqual(await back, values);
        assert.deepEqual(await ask(socket, ...values), values);
        socket.close();
      });
      test("echoes binary, also in acks", async () => {
        const socket = await connect();
        const picture = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
        const back = once(socket, "message-back");
        socket.emit("message", { picture, more: [Buffer.alloc(0), Buffer.from("x")] }, "text");
        const [object, text] = await back;
        assert.deepEqual(asBuffer(object.picture), picture);
        assert.equal(asBuffer(object.more[0]).length, 0);
        assert.equal(asBuffer(object.more[1]).toString(), "x");
        assert.equal(text, "text");
        const [answered] = await ask(socket, { picture });
        assert.deepEqual(asBuffer(answered.picture), picture);
        socket.close();
      });
      test("echoes payloads near the limit", async () => {
        const socket = await connect();
        const text = "x".repeat(900_000);
        assert.deepEqual(await ask(socket, text), [text]);
        const binary = Buffer.alloc(600_000, 7);  // base64 makes it 800000 where there is no binary
        assert.deepEqual(asBuffer((await ask(socket, binary))[0]), binary);
        socket.close();
      });
      test("loses and reorders nothing, whatever the transport does meanwhile", async () => {
        const socket = await connect();
        const count = 500;
        const got = [];
        const all = new Promise((resolve) => {
          socket.on("message-back", (n, data) => {
            got.push(n);
            if (n % 50 === 0) assert.equal(asBuffer(data).length, 3);
            if (got.length === count) resolve();
          });
        });
        for (let n = 0; n < count; ++n) {
          socket.emit("message", n, n % 50 === 0 ? Buffer.from([1, 2, 3]) : "text");
          if (n % 25 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await all;
        assert.deepEqual(got, Array.from({ length: count }, (_, n) => n));
        const transport = (socket.io.engine ?? socket.io).transport.name;
        if (way === "polling") assert.equal(transport, "polling");
        if (way === "websocket") assert.equal(transport, "websocket");
        socket.close();
      });
      test("heartbeats keep an idle connection", async () => {
        const socket = await connect();
        let gone = false;
        socket.on("disconnect", () => (gone = true));
        await new Promise((resolve) => setTimeout(resolve, 1300));
        assert.equal(gone, false);
        assert.deepEqual(await ask(socket, "still here"), ["still here"]);
        if (way === "polling, then upgrade") assert.equal(socket.io.engine.transport.name, "websocket");
        socket.close();
      });
    });
  }
}
