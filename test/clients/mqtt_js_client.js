// The script of README.md with npm's `mqtt`:
//   NODE_PATH=/usr/share/nodejs node mqtt_js_client.js URL 3|5
// Exit status 0 when all went as it should; else it says what did not.
'use strict';

const assert = require('assert');
const mqtt = require('mqtt');

const url = process.argv[2];
const is5 = process.argv[3] === '5';
const patience = 10000;

let step = 'start';
const giveUp = setTimeout(() => fail(new Error('nothing happened for too long')), 6 * patience);

function fail(error) {
  console.error(step + ': ' + (error.stack || error));
  process.exit(1);
}
process.on('unhandledRejection', fail);

class Client {
  constructor(name) {
    this.name = name;
    this.messages = [];
    this.waiting = null;
  }

  // True if the relay knew a session.
  connect(options = {}) {
    const keep = options.keep || false;
    const settings = {
      clientId: this.name,
      protocolVersion: is5 ? 5 : 4,
      clean: !keep,
      reconnectPeriod: 0,
      connectTimeout: patience,
    };
    if (options.will) settings.will = {topic: 'will', payload: options.will, qos: 2, retain: false};
    if (is5) settings.properties = {sessionExpiryInterval: keep ? 600 : 0};
    return new Promise((resolve, reject) => {
      this.client = mqtt.connect(url, settings);
      this.client.on('error', reject);
      this.client.on('message', (topic, payload, packet) => {
        this.messages.push({topic, payload: payload.toString(), qos: packet.qos,
                            retain: packet.retain});
        if (this.waiting) this.waiting();
      });
      this.client.on('connect', (ack) => resolve(ack.sessionPresent));
    });
  }

  subscribe(filter, qos) {
    return new Promise((resolve, reject) => {
      this.client.subscribe(filter, {qos}, (error, granted) => {
        if (error) return reject(error);
        assert.strictEqual(granted[0].qos, qos);
        resolve();
      });
    });
  }

  publish(topic, payload, qos, retain = false) {
    return new Promise((resolve, reject) => {
      this.client.publish(topic, payload, {qos, retain}, (e) => e ? reject(e) : resolve());
    });
  }

  // The next message; null: none in time.
  async receive(limit = patience) {
    if (this.messages.length === 0) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, limit);
        this.waiting = () => { clearTimeout(timer); resolve(); };
      });
      this.waiting = null;
    }
    return this.messages.shift() || null;
  }

  disconnect() {
    return new Promise((resolve) => this.client.end(false, {}, resolve));
  }

  die() {
    this.client.stream.destroy();  // without DISCONNECT
  }
}

async function connected(...names) {
  const clients = names.map((name) => new Client(name));
  for (const client of clients) await client.connect();
  return clients;
}

async function leave(...clients) {
  for (const client of clients) await client.disconnect();
}

async function inOrder() {
  step = 'messages of each QoS in order';
  const [subscriber, publisher] = await connected('js-sub', 'js-pub');
  await subscriber.subscribe('order/+', 2);
  for (const qos of [0, 1, 2]) {
    for (let i = 0; i < 5; ++i) await publisher.publish('order/' + qos, String(i), qos);
    for (let i = 0; i < 5; ++i) {
      assert.deepStrictEqual(await subscriber.receive(),
                             {topic: 'order/' + qos, payload: String(i), qos, retain: false});
    }
  }
  await leave(subscriber, publisher);
}

async function retained() {
  step = 'retained messages';
  const [publisher, first, second] = await connected('js-pub', 'js-first', 'js-second');
  await publisher.publish('kept', 'remembered', 1, true);
  await first.subscribe('kept', 1);
  assert.deepStrictEqual(await first.receive(),
                         {topic: 'kept', payload: 'remembered', qos: 1, retain: true});
  await publisher.publish('kept', '', 1, true);
  await second.subscribe('kept', 1);
  assert.strictEqual(await second.receive(300), null);
  await leave(publisher, first, second);
}

async function will() {
  step = 'a will';
  const [watcher] = await connected('js-watch');
  await watcher.subscribe('will', 2);
  const leaving = new Client('js-leaving');
  await leaving.connect({will: 'left'});
  await leaving.disconnect();
  const dying = new Client('js-dying');
  await dying.connect({will: 'gone'});
  dying.die();
  const message = await watcher.receive();
  assert.strictEqual(message.payload, 'gone');
  assert.strictEqual(message.qos, 2);
  await leave(watcher);
}

async function shared() {
  step = 'shared subscribers';
  const [one, two, publisher] = await connected('js-one', 'js-two', 'js-pub');
  await one.subscribe('$share/g/work', 1);
  await two.subscribe('$share/g/work', 1);
  for (let i = 0; i < 10; ++i) await publisher.publish('work', String(i), 1);
  for (let i = 0; i < 5; ++i) {  // each has its half
    assert.notStrictEqual(await one.receive(), null);
    assert.notStrictEqual(await two.receive(), null);
  }
  await leave(one, two, publisher);
}

async function resumed() {
  step = 'a session that is resumed';
  const [publisher] = await connected('js-pub');
  const keeper = new Client('js-keep');
  assert.strictEqual(await keeper.connect({keep: true}), false);
  await keeper.subscribe('wait/#', 2);
  await keeper.disconnect();
  for (let i = 0; i < 10; ++i) await publisher.publish('wait/x', String(i), 1 + i % 2);
  const again = new Client('js-keep');
  assert.strictEqual(await again.connect({keep: true}), true);
  const next = [0, 0, 1];  // ordered within each QoS: clients hold QoS 2 back until it is released
  for (let i = 0; i < 10; ++i) {
    const message = await again.receive();
    assert.ok(message.qos === 1 || message.qos === 2);
    assert.strictEqual(message.payload, String(next[message.qos]));
    next[message.qos] += 2;
  }
  await again.disconnect();
  const fresh = new Client('js-keep');
  assert.strictEqual(await fresh.connect(), false);  // and is no more
  await leave(fresh, publisher);
}

async function main() {
  for (const part of [inOrder, retained, will, shared, resumed]) await part();
  clearTimeout(giveUp);
  process.exit(0);
}

main();
