// A hundred thousand events: the work for a picture, counted, and the frames a second, told.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { load } from '../samples/scripts.js';
import { filled, settled, start } from './browser.js';

const EVENTS = 100_000;

let chromium;
let page;
before(async () => {
  chromium = await start();
  page = await chromium.open(filled(load(EVENTS)), { reducedMotion: 'no-preference' });
});
after(async () => {
  await chromium.stop();
  assert.deepEqual(chromium.complaints, [], 'the console is silent');
});

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const median = (numbers) => sorted(numbers)[numbers.length >> 1];

/** Plays at a speed for a while; gives the milliseconds of each frame, and those of drawing. */
const play = (speed, seconds) =>
  page.evaluate(
    async ([name, length]) => {
      const { loop } = window;
      const select = document.querySelector('#speed');
      const option = [...select.options].find(({ text }) => text === name);
      select.value = option.value;
      select.dispatchEvent(new Event('change'));
      loop.goTo(0);
      const frames = [];
      const before = { ...loop.drawn };
      let last = performance.now();
      const end = last + length * 1000;
      loop.play(true);
      while (last < end && loop.player.playing) {
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - last);
        last = now;
      }
      loop.play(false);
      const pictures = loop.drawn.pictures - before.pictures;
      const drawing = (loop.drawn.milliseconds - before.milliseconds) / pictures;
      const texts = loop.drawn.texts - before.texts;
      return { frames, drawing, texts, pictures, position: loop.position };
    },
    [speed, seconds],
  );

test('it plays, at each speed', async (t) => {
  for (const speed of ['100 steps a second', '1,000 steps a second', '10,000 steps a second']) {
    const { frames, drawing, position } = await play(speed, 3);
    const rate = 1000 / median(frames);
    const slow = 1000 / sorted(frames)[Math.floor(frames.length * 0.95)];
    t.diagnostic(
      `${speed}: median ${rate.toFixed(0)} frames a second, 95% above ${slow.toFixed(0)}; ` +
        `drawing takes ${drawing.toFixed(1)} ms; ${position} steps`,
    );
    assert.ok(frames.length > 5 && position > 10, 'it went on');
  }
});

test('texts wait while it hurries, and are there when it stops', async () => {
  const { texts, pictures } = await play('10,000 steps a second', 2);
  assert.ok(texts <= 2000 / 120 + 2, `${texts} texts in two seconds`);
  assert.ok(texts > 2 && pictures >= texts, `${texts} of ${pictures}`);
  await settled(page);
  const look = () => page.evaluate(() => document.querySelector('main, body').innerText);
  const stopped = await look();
  await page.evaluate(() => window.loop.goTo(window.loop.position)); // the same picture, at rest
  await settled(page);
  assert.equal(await look(), stopped);
  assert.equal((await play('1 step a second', 1)).texts > 0, true);
});

test('a picture is made of little: elements in the document, events applied', async () => {
  const found = await page.evaluate(async () => {
    const { loop } = window;
    const steps = [];
    for (const at of [99_999, 5, 70_001, 70_000, 69_999, 50_000, 100_000]) {
      const before = loop.history.applied;
      loop.goTo(at);
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      steps.push(loop.history.applied - before);
    }
    return { elements: document.querySelectorAll('*').length, steps };
  });
  assert.ok(found.elements < 1200, `${found.elements} elements`);
  for (const applied of found.steps.slice(1)) assert.ok(applied <= 1024, found.steps.join());
});

test('search goes through all of them, and the list holds what can be seen', async () => {
  const began = performance.now();
  await page.locator('#search').fill('O100 leaves');
  await settled(page);
  assert.match(await page.locator('#found').innerText(), /^1 found/);
  await page.locator('#search').fill('polls');
  await settled(page);
  assert.match(await page.locator('#found').innerText(), /^\d+,\d+ found/);
  assert.ok((await page.locator('#log [role=option]').count()) < 60);
  assert.ok(performance.now() - began < 20_000, 'a search that hangs has failed');
});
