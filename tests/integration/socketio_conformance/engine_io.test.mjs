// Engine.IO 3 and 4 as the public protocol suites check them, over plain HTTP and WebSocket.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { FrameSocket, Poller, revisions, sleep, startServer } from "./support.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  assert.equal(await server.stop(), 0);
});

const path = "/engine.io/";
const keys = ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"];

for (const { eio, body, base64, frame } of Object.values(revisions)) {
  const poller = (extra) => new Poller(server, path, eio, extra).open();
  const socket = async () => {
    const ws = new FrameSocket(`${server.ws}${path}?EIO=${eio}&transport=websocket`);
    await ws.opened;
    ws.handshake = JSON.parse((await ws.next()).slice(1));
    return ws;
  };

  describe(`EIO ${eio} handshake`, () => {
    test("polling answers the open packet", async () => {
      const { handshake } = await poller();
      assert.deepEqual(Object.keys(handshake).sort(), keys);
      assert.equal(typeof handshake.sid, "string");
      assert.deepEqual(handshake.upgrades, ["websocket"]);
      assert.deepEqual([handshake.pingInterval, handshake.pingTimeout, handshake.maxPayload], [300, 200, 1000000]);
    });
    test("websocket gets the open packet", async () => {
      const ws = await socket();
      assert.deepEqual(Object.keys(ws.handshake).sort(), keys);
      assert.deepEqual(ws.handshake.upgrades, []);
      await ws.close();
    });
    const refused = [
      ["no EIO", "GET", "transport=polling", 5],
      ["unknown EIO", "GET", "EIO=abc&transport=polling", 5],
      ["EIO with more digits", "GET", `EIO=${eio}0&transport=polling`, 5],
      ["no transport", "GET", `EIO=${eio}`, 0],
      ["unknown transport", "GET", `EIO=${eio}&transport=abc`, 0],
      ["POST", "POST", `EIO=${eio}&transport=polling`, 2],
      ["PUT", "PUT", `EIO=${eio}&transport=polling`, 2],
      ["unknown sid", "GET", `EIO=${eio}&transport=polling&sid=abc`, 1],
      ["websocket transport without upgrade", "GET", `EIO=${eio}&transport=websocket`, 3],
    ];
    for (const [name, method, query, code] of refused) {
      test(`refuses ${name}`, async () => {
        const response = await fetch(`${server.http}${path}?${query}`, { method });
        assert.equal(response.status, 400);
        assert.equal(response.headers.get("access-control-allow-origin"), "*");
        assert.equal((await response.json()).code, code);
      });
    }
    for (const query of ["transport=websocket", "EIO=abc&transport=websocket", `EIO=${eio}`,
      `EIO=${eio}&transport=abc`, `EIO=${eio}&transport=websocket&sid=abc`]) {
      test(`refuses a websocket with ${query}`, async () => {
        const ws = new FrameSocket(`${server.ws}${path}?${query}`);
        await assert.rejects(ws.opened, /400/);
        await ws.closed;
      });
    }
    test("answers preflights", async () => {
      const response = await fetch(`${server.http}${path}?EIO=${eio}&transport=polling`, {
        method: "OPTIONS",
        headers: { origin: "http://example.org", "access-control-request-headers": "content-type" },
      });
      assert.equal(response.status, 204);
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      assert.match(response.headers.get("access-control-allow-methods"), /POST/);
      assert.equal(response.headers.get("access-control-allow-headers"), "content-type");
    });
  });

  describe(`EIO ${eio} messages`, () => {
    const bodies = [
      ["one packet", body("4hello")],
      ["several packets", body("4test1", "4test2", "4test3")],
      ["text of many alphabets", body("4€ünï😀", "4二")],
      ["an empty message", body("4", "4a")],
      ["text and binary", body("4hello", base64([1, 2, 3, 4]))],
    ];
    for (const [name, content] of bodies) {
      test(`polling echoes ${name}`, async () => {
        const session = await poller("&b64=1");
        const pushed = await session.post(content);
        assert.equal(pushed.status, 200);
        assert.equal(await pushed.text(), "ok");
        const polled = await session.get();
        assert.equal(polled.status, 200);
        assert.equal(await polled.text(), content);
      });
    }
    for (const bad of ["abc", "", "9", eio === 3 ? "3:4" : "4a\x1e", eio === 3 ? "x:4a" : "b*", "7"]) {
      test(`polling ends at the invalid body ${JSON.stringify(bad)}`, async () => {
        const session = await poller();
        assert.equal((await session.post(bad)).status, 400);
        assert.equal((await session.get()).status, 400);
      });
    }
    test("a body over the limit is answered 413 and hurts nobody", async () => {
      const session = await poller();
      const response = await session.post("4" + "x".repeat(1_100_000)).catch((error) => error);
      if (!(response instanceof Error)) assert.equal(response.status, 413);
      await poller();
    });
    test("a second GET ends the session", async () => {
      const session = await poller();
      const first = session.get();
      await sleep(5);
      assert.equal((await session.get()).status, 400);
      const answer = await first;
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), body("1"));
      assert.equal((await session.get()).status, 400);
    });
    test("a GET that the client gives up ends the session", async () => {
      const session = await poller();
      const controller = new AbortController();
      session.get({ signal: controller.signal }).catch(() => {});
      await sleep(5);
      controller.abort();
      assert.equal((await session.get()).status, 400);
    });
    test("websocket echoes text", async () => {
      const ws = await socket();
      ws.send("4hello");
      assert.equal(await ws.nextPacket(), "4hello");
      await ws.close();
    });
    test("websocket echoes binary", async () => {
      const ws = await socket();
      ws.send(frame([1, 2, 3, 4]));
      assert.deepEqual(await ws.nextPacket(), frame([1, 2, 3, 4]));
      await ws.close();
    });
    for (const bad of ["abc", "", "9", ...(eio === 3 ? [Buffer.from([1, 2]), "b9AA=="] : ["0", "b!"])]) {
      test(`websocket closes at ${JSON.stringify(bad)}`, async () => {
        const ws = await socket();
        ws.send(bad);
        await ws.closed;
      });
    }
    test("websocket closes at a message over the limit", async () => {
      const ws = await socket();
      ws.send("4" + "x".repeat(1_100_000));
      assert.equal(await ws.closed, 1009);
    });
  });

  describe(`EIO ${eio} heartbeat`, () => {
    test("polling keeps the session alive", async () => {
      const session = await poller();
      for (let i = 0; i < 3; ++i) {
        if (eio === 3) {
          assert.equal((await session.post(body("2"))).status, 200);
          assert.equal(await (await session.get()).text(), body("3"));
        } else {
          assert.equal(await (await session.get()).text(), body("2"));
          assert.equal((await session.post(body("3"))).status, 200);
        }
      }
    });
    test("a polling session without heartbeat is gone at 500 ms sharp", async () => {
      const session = await poller();
      await sleep(500);
      const response = eio === 3 ? await session.post(body("2")) : await session.get();
      assert.equal(response.status, 400);
    });
    test("websocket keeps the session alive", async () => {
      const ws = await socket();
      for (let i = 0; i < 3; ++i) {
        if (eio === 3) {
          ws.send("2");
          assert.equal(await ws.next(), "3");
        } else {
          assert.equal(await ws.next(), "2");
          ws.send("3");
        }
      }
      await ws.close();
    });
    test("a websocket without heartbeat is closed within 500 ms", async () => {
      const started = Date.now();
      const ws = await socket();
      await ws.closed;
      assert.ok(Date.now() - started < 700);
    });
    test("a heartbeat in the wrong direction ends the session", async () => {
      const ws = await socket();
      ws.send(eio === 3 ? "3" : "2");
      await ws.closed;
    });
  });

  describe(`EIO ${eio} close`, () => {
    test("by POST, the waiting GET ends with a noop", async () => {
      const session = await poller();
      const [polled] = await Promise.all([session.get(), session.post(body("1"))]);
      assert.equal(polled.status, 200);
      assert.equal(await polled.text(), body("6"));
      assert.equal((await session.get()).status, 400);
    });
    test("by frame", async () => {
      const ws = await socket();
      ws.send("1");
      await ws.closed;
    });
  });

  describe(`EIO ${eio} upgrade`, () => {
    const upgrade = async (session) => {
      const ws = new FrameSocket(session.wsUrl);
      await ws.opened;
      ws.send("2probe");
      assert.equal(await ws.next(), "3probe");
      return ws;
    };
    test("from polling to websocket", async () => {
      const session = await poller();
      const waiting = session.get();
      const ws = await upgrade(session);
      assert.equal(await (await waiting).text(), body("6"));
      assert.equal(await (await session.get()).text(), body("6"));
      ws.send("5");
      ws.send("4hello");
      assert.equal(await ws.nextPacket(), "4hello");
      await ws.close();
    });
    test("GETs are refused afterwards, the websocket goes on", async () => {
      const session = await poller();
      const ws = await upgrade(session);
      ws.send("5");
      ws.send("4first");
      assert.equal(await ws.nextPacket(), "4first");
      assert.equal((await session.get()).status, 400);
      assert.equal((await session.post(body("4x"))).status, 400);
      ws.send("4hello");
      assert.equal(await ws.nextPacket(), "4hello");
      await ws.close();
    });
    test("a second websocket is closed, the first goes on", async () => {
      const session = await poller();
      const ws = await upgrade(session);
      ws.send("5");
      const second = new FrameSocket(session.wsUrl);
      await second.closed;
      ws.send("4hello");
      assert.equal(await ws.nextPacket(), "4hello");
      await ws.close();
    });
    test("what waits during the upgrade comes after it, in order", async () => {
      const session = await poller();
      const ws = await upgrade(session);
      await session.post(body("4a", "4b", "4c"));
      ws.send("5");
      for (const expected of ["4a", "4b", "4c"]) assert.equal(await ws.nextPacket(), expected);
      await ws.close();
    });
    test("a wrong probe ends only the probe", async () => {
      const session = await poller();
      const ws = new FrameSocket(session.wsUrl);
      await ws.opened;
      ws.send("4hello");
      await ws.closed;
      assert.equal((await session.post(body("4still here"))).status, 200);
      assert.equal(await (await session.get()).text(), body("4still here"));
    });
    test("an upgrade needs the probe", async () => {
      const session = await poller();
      const ws = new FrameSocket(session.wsUrl);
      await ws.opened;
      ws.send("5");
      await ws.closed;
    });
  });
}

test("EIO 3 answers binary bodies to a client that takes them, and reads them", async () => {
  const session = await new Poller(server, path, 3).open();
  await session.post("6:4hello10:b4AQIDBA==");
  const expected = [0, 6, 255, 52, 104, 101, 108, 108, 111, 1, 5, 255, 4, 1, 2, 3, 4];
  const polled = await session.get();
  assert.equal(polled.headers.get("content-type"), "application/octet-stream");
  assert.deepEqual([...new Uint8Array(await polled.arrayBuffer())], expected);
  const pushed = await session.post(Buffer.from(expected), { "content-type": "application/octet-stream" });
  assert.equal(pushed.status, 200);
  assert.deepEqual([...new Uint8Array(await (await session.get()).arrayBuffer())], expected);
});

test("EIO 4 refuses binary bodies", async () => {
  const session = await new Poller(server, path, 4).open();
  const pushed = await session.post(Buffer.from("4hello"), { "content-type": "application/octet-stream" });
  assert.equal(pushed.status, 400);
});
