// A run that is watched while it goes on: a server of events, and what it may do to its watchers.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { load, tour } from '../samples/scripts.js';
import { built, settled, start, text } from './browser.js';
import { HEADER } from './traces.js';

let chromium;
const runs = [];
before(async () => {
  chromium = await start();
});
after(async () => {
  for (const run of runs) run.stop();
  await chromium.stop();
  const expected = /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED|EMPTY_RESPONSE)|Failed to load/;
  const rest = chromium.complaints.filter((one) => !expected.test(one));
  assert.deepEqual(rest, [], 'the console is silent, but for connections that were cut on purpose');
});

/** The page and its events, as the program serves them; the test says what is sent. */
async function serve() {
  const clients = new Set();
  const asked = [];
  const server = createServer((request, response) => {
    if (request.url === '/events') {
      asked.push(request.headers['last-event-id'] ?? null);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('retry: 50\n\n');
      clients.add(response);
      response.on('close', () => clients.delete(response));
      run.greet?.(response);
      return;
    }
    response.writeHead(request.url === '/' ? 200 : 404, { 'content-type': 'text/html' });
    response.end(built());
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const run = {
    url: `http://127.0.0.1:${server.address().port}/`,
    asked,
    greet: null,
    send(line, id) {
      const name = id === undefined ? '' : `id: ${id}\n`;
      for (const client of clients) client.write(`${name}data: ${JSON.stringify(line)}\n\n`);
    },
    cut() {
      for (const client of clients) client.destroy();
    },
    async until(what) {
      for (let turn = 0; turn < 500 && !what(); turn += 1) {
        await new Promise((done) => setTimeout(done, 10));
      }
      assert.ok(what(), 'it came to pass');
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  runs.push(run);
  return run;
}

const has = (page, count) =>
  page.waitForFunction((wanted) => window.loop.trace?.length === wanted, count);

test('events are shown as they come, and the newest is what is seen', async () => {
  const run = await serve();
  const page = await chromium.visit(run.url);
  assert.match(await text(page, 'cover'), /Waiting for the loop/);
  await run.until(() => run.asked.length === 1);
  run.send(HEADER);
  const { lines } = tour();
  lines.slice(0, 20).forEach((line, id) => run.send(line, id));
  await has(page, 20);
  await settled(page);
  assert.match(await text(page, 'headline'), /The loop polls task 2/);
  assert.equal(await text(page, 'live'), 'live');
  assert.equal(await page.locator('#cover').isVisible(), false);
  lines.slice(20).forEach((line, id) => run.send(line, 20 + id));
  await has(page, lines.length);
  await settled(page);
  assert.match(await text(page, 'order'), /O2.*O1/);
  await page.close();
});

test('the time line turns to inputs with the first one, unless somebody chose', async () => {
  const run = await serve();
  const page = await chromium.visit(run.url);
  await run.until(() => run.asked.length === 1);
  run.send(HEADER);
  const { lines } = tour();
  const first = lines.findIndex((line) => line.e === 'input');
  lines.slice(0, first).forEach((line, id) => run.send(line, id));
  await has(page, first);
  await settled(page);
  assert.equal(await page.locator('#rows').inputValue(), 'tasks');
  run.send(lines[first], first);
  await has(page, first + 1);
  await settled(page);
  assert.equal(await page.locator('#rows').inputValue(), 'inputs');
  await page.locator('#rows').selectOption('tasks');
  run.send(lines[first + 1], first + 1);
  await has(page, first + 2);
  await settled(page);
  assert.equal(await page.locator('#rows').inputValue(), 'tasks', 'what was chosen stays');
  await page.close();
});

test('whoever steps back stays there while the run goes on, and End is live again', async () => {
  const run = await serve();
  const page = await chromium.visit(run.url);
  await run.until(() => run.asked.length === 1);
  run.send(HEADER);
  const { lines } = tour();
  lines.slice(0, 30).forEach((line, id) => run.send(line, id));
  await has(page, 30);
  await page.keyboard.press('ArrowLeft');
  lines.slice(30, 60).forEach((line, id) => run.send(line, 30 + id));
  await has(page, 60);
  assert.equal(await page.evaluate(() => window.loop.position), 29);
  await page.keyboard.press('End');
  lines.slice(60, 70).forEach((line, id) => run.send(line, 60 + id));
  await has(page, 70);
  assert.equal(await page.evaluate(() => window.loop.position), 70);
  await page.close();
});

test('a connection that was cut goes on where it was, and says what was missed', async () => {
  const run = await serve();
  const page = await chromium.visit(run.url);
  await run.until(() => run.asked.length === 1);
  run.send(HEADER);
  const { lines } = tour();
  lines.slice(0, 10).forEach((line, id) => run.send(line, id));
  await has(page, 10);
  const again = JSON.stringify({ ...HEADER, workers: ['loop', 'another'] });
  run.greet = (response) => response.write(`data: ${again}\n\n`);
  run.cut();
  await run.until(() => run.asked.length === 2);
  assert.equal(run.asked[1], '9', 'it says which event was the last');
  lines.slice(10, 20).forEach((line, id) => run.send(line, 10 + id));
  await has(page, 20);
  assert.equal(await text(page, 'live'), 'live');
  lines.slice(25, 30).forEach((line, id) => run.send(line, 25 + id));
  await has(page, 25);
  assert.equal(await text(page, 'live'), 'live, 5 events missed');
  assert.equal(await page.evaluate(() => window.loop.trace.header.workers.length), 2);
  await page.close();
});

test('another run begins anew', async () => {
  const run = await serve();
  const page = await chromium.visit(run.url);
  await run.until(() => run.asked.length === 1);
  run.send(HEADER);
  run.send({ t: 1, e: 'turn' }, 0);
  run.send({ t: 2, e: 'turn' }, 1);
  await has(page, 2);
  run.send({ ...HEADER, started: 'later', program: 'another' });
  run.send({ t: 1, e: 'turn' }, 0);
  await has(page, 1);
  await settled(page);
  assert.equal(await text(page, 'title'), 'another');
  assert.equal(await text(page, 'live'), 'live');
  await page.close();
});

test('a newer server is told so', async () => {
  const run = await serve();
  const page = await chromium.visit(run.url);
  await run.until(() => run.asked.length === 1);
  run.send({ ...HEADER, handrolled_trace: 7 });
  await page.waitForFunction(() => document.querySelector('#cover .wrong'));
  assert.match(await text(page, 'cover'), /version 7; this page reads version 1/);
  await page.close();
});

test('a run without end lets its oldest events go', async () => {
  const run = await serve();
  const page = await chromium.visit(`${run.url}#keep=2000`);
  await run.until(() => run.asked.length === 1);
  run.send(HEADER);
  const { lines } = load(5000);
  lines.forEach((line, id) => run.send(line, id));
  const last = lines.at(-1).t;
  await page.waitForFunction((time) => window.loop.trace?.end === time, last);
  await settled(page);
  const kept = await page.evaluate(() => window.loop.trace.length);
  assert.ok(kept <= 2000 && kept >= 500, `${kept} events`);
  assert.equal(await page.evaluate(() => window.loop.position), kept, 'still at the end');
  await page.close();
});
