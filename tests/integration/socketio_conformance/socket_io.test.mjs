// Socket.IO 4 and 5 packet by packet, as the public protocol suite checks revision 5.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { FrameSocket, Poller, startServer } from "./support.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  assert.equal(await server.stop(), 0);
});

const path = "/socket.io/";
async function open(eio = 4) {
  const ws = new FrameSocket(`${server.ws}${path}?EIO=${eio}&transport=websocket`);
  await ws.opened;
  assert.equal((await ws.next())[0], "0");
  return ws;
}
async function connected(eio = 4) {
  const ws = await open(eio);
  if (eio === 4) ws.send("40");
  assert.match(await ws.nextPacket(), /^40/);
  assert.match(await ws.nextPacket(), /^42\["auth"/);
  return ws;
}
const bytes = (...list) => Buffer.from(list);

describe("protocol 5", () => {
  const connects = [
    ["40", "40", '42["auth",{}]'],
    ['40{"token":"123"}', "40", '42["auth",{"token":"123"}]'],
    ["40/custom,", "40/custom,", '42/custom,["auth",{}]'],
    ['40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'],
  ];
  for (const [sent, prefix, greeting] of connects) {
    test(`connects with ${sent}`, async () => {
      const ws = await open();
      ws.send(sent);
      const answer = await ws.nextPacket();
      assert.ok(answer.startsWith(prefix));
      const handshake = JSON.parse(answer.slice(prefix.length));
      assert.deepEqual(Object.keys(handshake), ["sid"]);
      assert.equal(await ws.nextPacket(), greeting);
      await ws.close();
    });
  }
  test("refuses an unknown namespace, exactly", async () => {
    const ws = await open();
    ws.send("40/random");
    assert.equal(await ws.nextPacket(), '44/random,{"message":"Invalid namespace"}');
    await ws.close();
  });
  test("closes who joins no namespace", async () => {
    const ws = await open();
    await assert.rejects(async () => {
      for (;;) assert.equal(await ws.nextPacket(), "nothing but heartbeats");
    }, /closed/);
  });
  test("a client that left the main namespace keeps its connection", async () => {
    const ws = await connected();
    ws.send("41");
    assert.equal(await ws.next(), "2");
    await ws.close();
  });
  test("leaving one namespace leaves the other", async () => {
    const ws = await connected();
    ws.send("40/custom");
    assert.match(await ws.nextPacket(), /^40\/custom,/);
    assert.match(await ws.nextPacket(), /^42\/custom,/);
    ws.send("41/custom");
    ws.send('42["message","to the main namespace"]');
    assert.equal(await ws.nextPacket(), '42["message-back","to the main namespace"]');
    await ws.close();
  });
  const exchanges = [
    ["text", ['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]']],
    ["many alphabets", ['42["message","€ 😀 \\u0000"]'], ['42["message-back","€ 😀 \\u0000"]']],
    ["binary",
      ['452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', bytes(1, 2, 3), bytes(4, 5, 6)],
      ['452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', bytes(1, 2, 3),
        bytes(4, 5, 6)]],
    ["an ack", ['42456["message-with-ack",1,"2",{"3":[false]}]'], ['43456[1,"2",{"3":[false]}]']],
    ["an ack with binary",
      ['452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', bytes(1, 2, 3),
        bytes(4, 5, 6)],
      ['462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', bytes(1, 2, 3), bytes(4, 5, 6)]],
    ["attachments used in another order",
      ['452-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]', bytes(1), bytes(2)],
      ['452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', bytes(2), bytes(1)]],
  ];
  for (const [name, sent, expected] of exchanges) {
    test(`echoes ${name}`, async () => {
      const ws = await connected();
      for (const frame of sent) ws.send(frame);
      for (const frame of expected) assert.deepEqual(await ws.nextPacket(), frame);
      await ws.close();
    });
  }
  const invalid = [
    ["an unknown type", ["4abc"]],
    ["no type", ["4"]],
    ["an event that is no list", ["42{}"]],
    ["an event without name", ["42[]"]],
    ["an event whose name is an object", ["42[{}]"]],
    ["JSON cut off", ['42["message"']],
    ["an ack id that is no number", ['42abc["message-with-ack",1,"2",{}]']],
    ["an ack id beyond all numbers", ['4299999999999999999999["message-with-ack"]']],
    ["a reserved name", ['42["disconnect"]']],
    ["a connect error from a client", ['44{"message":"x"}']],
    ["stray binary", [bytes(1, 2, 3)]],
    ["text instead of an attachment", ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]']],
    ["a placeholder without attachment", ['451-["message",{"_placeholder":true,"num":1}]', bytes(1)]],
    ["too many attachments", ['4533-["message"]']],
    ["nesting without end", ["42" + "[".repeat(100_000)]],
  ];
  for (const [name, frames] of invalid) {
    test(`closes at ${name}`, async () => {
      const ws = await connected();
      for (const frame of frames) ws.send(frame);
      await ws.closed;
      assert.ok(server.alive());
    });
  }
  test("closes at a packet before any CONNECT", async () => {
    const ws = await open();
    ws.send('42["message"]');
    await ws.closed;
  });
});

describe("protocol 4", () => {
  test("joins / without asking, and is told without an id", async () => {
    const session = await new Poller(server, path, 3).open();
    assert.deepEqual(session.others, ["40"]);
    const ws = await connected(3);
    await ws.close();
  });
  test("takes auth from the query in the namespace's name", async () => {
    const ws = await connected(3);
    ws.send("40/custom?token=a%20b&x=1,");
    assert.equal(await ws.nextPacket(), "40/custom,");
    assert.equal(await ws.nextPacket(), '42/custom,["auth",{"token":"a b","x":"1"}]');
    await ws.close();
  });
  test("refuses an unknown namespace with a plain text", async () => {
    const ws = await connected(3);
    ws.send("40/random");
    assert.equal(await ws.nextPacket(), '44/random,"Invalid namespace"');
    await ws.close();
  });
  test("echoes binary with the type byte", async () => {
    const ws = await connected(3);
    ws.send('451-["message",{"_placeholder":true,"num":0}]');
    ws.send(bytes(4, 9, 8));
    assert.equal(await ws.nextPacket(), '451-["message-back",{"_placeholder":true,"num":0}]');
    assert.deepEqual(await ws.nextPacket(), bytes(4, 9, 8));
    await ws.close();
  });
});
