// The page in Chromium, with traces from a file: what it shows, and what can be done with it.
import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tour } from '../samples/scripts.js';
import { filled, goTo, picture, position, settled, start, text } from './browser.js';
import { HEADER, HOSTILE, cascade, helped, hostile, stealing, trace } from './traces.js';

let chromium;
before(async () => {
  chromium = await start();
});
after(async () => {
  await chromium.stop();
  assert.deepEqual(chromium.complaints, [], 'the console is silent');
});

const open = (traces = [tour()], options = {}) => chromium.open(filled(...traces), options);
const length = (page) => page.evaluate(() => window.loop.trace.length);
const indexOf = (page, kind, n) =>
  page.evaluate(
    ([e, number]) => window.loop.trace.events.findIndex((one) => one.e === e && one.n === number),
    [kind, n],
  );

test('it opens with what there is to see', async () => {
  const page = await open();
  assert.match(await text(page, 'headline'), /I1 was taken in before I3, but O3 left before O1/);
  assert.match(await text(page, 'because'), /6 inputs, 159 steps in 302 ms/);
  assert.match(await text(page, 'order'), /O3.*O4.*O6.*O5.*O2/);
  assert.equal(await position(page), 0);
  await page.close();
});

test('a step back restores the picture exactly, from wherever it is reached', async () => {
  for (const made of [tour(), stealing(), cascade()]) {
    const page = await open([made]);
    const end = await length(page);
    const pictures = [];
    for (let at = 0; at <= end; at += 1) {
      await goTo(page, at);
      pictures.push(await picture(page));
    }
    const same = pictures.filter((one, at) => at > 0 && one === pictures[at - 1]).length;
    assert.equal(same, 0, 'every step can be seen');
    for (let at = end - 1; at >= 0; at -= 1) {
      await page.keyboard.press('ArrowLeft');
      await settled(page);
      assert.ok((await picture(page)) === pictures[at], `one step back to ${at}`);
    }
    for (const at of [end, 3, end - 2, 1, 7, 0]) {
      await goTo(page, at);
      assert.ok((await picture(page)) === pictures[at], `a jump to ${at}`);
    }
    await page.close();
  }
});

test('O2 leaves before O1, in the words, in the order and in the bars', async () => {
  const page = await open();
  const second = await indexOf(page, 'output', 2);
  await goTo(page, second + 1);
  assert.match(await text(page, 'headline'), /O2 leaves/);
  assert.match(await text(page, 'meaning'), /It leaves before O1, because it was ready before/);
  const order = await text(page, 'order');
  assert.match(order, /O2/);
  assert.doesNotMatch(order, /O1/);
  await goTo(page, await length(page));
  assert.match(await text(page, 'order'), /O2.*O1/);
  await page.close();
});

test('a wake says who is woken, by what, and why, and draws the arrow', async () => {
  const page = await open();
  const fired = await page.evaluate(() => {
    return window.loop.trace.events.findIndex(({ e }) => e === 'fire');
  });
  await goTo(page, fired + 1);
  assert.match(await text(page, 'headline'), /Timer 2 is due: it fires for task 3 \(I2\)/);
  await goTo(page, fired + 2);
  assert.match(await text(page, 'headline'), /Timer 2 wakes task 3 \(I2\)/);
  const arrow = page.locator('#arrows path').first();
  assert.match(await arrow.getAttribute('d'), /^M/);
  await page.locator('#because button').first().click();
  assert.equal(await position(page), fired + 1, 'because leads to the cause');
  await page.close();
});

test('everything can be done with the keyboard', async () => {
  const page = await open();
  const press = async (key) => {
    await page.keyboard.press(key);
    await settled(page);
    return position(page);
  };
  await page.evaluate(() => document.activeElement.blur());
  assert.equal(await press('ArrowRight'), 1);
  assert.equal(await press('ArrowRight'), 2);
  assert.equal(await press('ArrowLeft'), 1);
  assert.equal(await press('Shift+ArrowRight'), 2);
  assert.equal(await press('Shift+ArrowRight'), 11);
  assert.equal(await press('Shift+ArrowLeft'), 2);
  assert.equal(await press('End'), await length(page));
  assert.equal(await press('Home'), 0);
  assert.equal(await press('n'), (await indexOf(page, 'input', 1)) + 1);
  assert.equal(await press('p'), (await indexOf(page, 'input', 1)) + 1);
  await press('Space');
  assert.equal(await page.evaluate(() => window.loop.player.playing), true);
  await press('Space');
  assert.equal(await page.evaluate(() => window.loop.player.playing), false);
  await press('?');
  assert.equal(await page.locator('#help').evaluate((help) => help.open), true);
  await press('Escape');
  assert.equal(await page.locator('#help').evaluate((help) => help.open), false);
  await press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  await page.close();
});

test('playing goes on by itself, and rests at a note', async () => {
  const page = await open();
  await page.locator('#speed').selectOption('100 steps a second');
  await page.locator('#play').click();
  await page.waitForFunction(() => !window.loop.player.playing);
  assert.equal(await position(page), (await indexOf(page, 'input', 1)) + 1);
  assert.match(await text(page, 'caption-text'), /I1 is taken in first/);
  await page.close();
});

test('search finds, Enter goes there, and only what was found is listed', async () => {
  const page = await open();
  await page.locator('#search').fill('O2 leaves');
  await settled(page);
  assert.equal(await text(page, 'found'), '1 found');
  await page.keyboard.press('Enter');
  await settled(page);
  assert.equal(await position(page), (await indexOf(page, 'output', 2)) + 1);
  assert.equal(await page.locator('#log [role=option]').count(), 1);
  await page.close();
});

test('one task can be followed: its steps are listed, and the arrows go along them', async () => {
  const page = await open();
  const at = await indexOf(page, 'output', 2);
  await goTo(page, at + 1);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('f');
  await settled(page);
  assert.match(await text(page, 'unfollow'), /Following task 3 \(I2\)/);
  const said = await page.locator('#log .text').allInnerTexts();
  assert.ok(said.length > 4 && said.every((one) => /I2|imer 2|O2/.test(one)), said.join('\n'));
  const listed = await page.locator('#log .entry').first().getAttribute('aria-setsize');
  const story = await page.evaluate(() => window.loop.trace.story(3).events.length);
  assert.equal(Number(listed), story);
  await page.keyboard.press('ArrowLeft');
  await settled(page);
  assert.match(await text(page, 'headline'), /The loop polls task 3/);
  await page.keyboard.press('Escape');
  await settled(page);
  assert.equal(await page.locator('#unfollow').isVisible(), false);
  await page.close();
});

test('a click on the time line goes to that time', async () => {
  const page = await open();
  const box = await page.locator('#lanes').boundingBox();
  await page.mouse.click(box.x + box.width * 0.5, box.y + 30);
  await settled(page);
  const time = await page.evaluate(() => window.loop.scene().time);
  assert.ok(time > 50e6 && time < 250e6, `${time}`);
  await page.mouse.click(box.x + 20, box.y + 8);
  await settled(page);
  assert.match(await text(page, 'unfollow'), /Following task 2 \(I1\)/, 'a name is to be followed');
  await page.close();
});

test('a task that is a chip, a source or in the headline can be clicked', async () => {
  const page = await open();
  await goTo(page, 40);
  await page.locator('#headline .name, .chip').first().click();
  await settled(page);
  assert.equal(await page.locator('#unfollow').isVisible(), true);
  await page.close();
});

test('names and inputs are text, whatever is in them', async () => {
  const page = await open([hostile()]);
  const end = await length(page);
  for (let at = 0; at <= end; at += 1) {
    await goTo(page, at);
    for (const rows of ['inputs', 'tasks', 'workers']) {
      await page.locator('#rows').selectOption(rows);
      await settled(page);
    }
  }
  await page.evaluate(() => window.loop.toggleFollow(1));
  await settled(page);
  assert.equal(await page.evaluate(() => window.harmed), undefined);
  assert.equal(await page.locator('main img, main script, .cover img').count(), 0);
  assert.equal(await text(page, 'title'), HOSTILE);
  await page.close();
});

test('several runs are a gallery; the address opens one of them at a step', async () => {
  const page = await open([tour(), stealing(), cascade(), hostile()]);
  assert.equal(await page.locator('#cover li').count(), 4);
  assert.match(await page.locator('#cover').innerText(), /A timer comes down/);
  await page.locator('#cover li button').nth(2).click();
  await settled(page);
  assert.equal(await text(page, 'title'), 'cascade');
  await page.locator('#runs').click();
  assert.equal(await page.locator('#cover').isVisible(), true);
  await page.close();
  const second = await open([tour(), stealing()], { hash: '#run=2&at=8' });
  await settled(second);
  assert.match(await text(second, 'headline'), /worker-1 steals 1 task from worker-0/i);
  await second.close();
});

test('what cannot be read is said, and another file can be opened', async () => {
  const newer = JSON.stringify({ ...HEADER, handrolled_trace: 2 });
  const page = await open([newer]);
  assert.match(await text(page, 'cover'), /version 2; this page reads version 1/);
  const file = join(mkdtempSync(join(tmpdir(), 'page-')), 'run.ndjson');
  writeFileSync(file, String(cascade()));
  await page.locator('#file').setInputFiles(file);
  await page.waitForFunction(() => window.loop.trace !== null);
  await settled(page);
  assert.equal(await text(page, 'title'), 'cascade');
  assert.equal(await page.locator('#cover').isVisible(), false);
  writeFileSync(file, 'no trace');
  await page.locator('#file').setInputFiles(file);
  await page.waitForFunction(() => !document.querySelector('#cover').hidden);
  assert.match(await text(page, 'cover'), /Line 1 is not JSON/);
  await page.close();
});

test('a file that was cut off, and events that were lost, are said', async () => {
  const cutOff = await open([String(tour()).slice(0, 4000)]);
  assert.match(await text(cutOff, 'because'), /cut off/);
  await cutOff.close();
  const lost = await open([trace([{ e: 'turn' }], { dropped: 12 })]);
  assert.match(await text(lost, 'because'), /12 earlier events were not kept/);
  await lost.close();
});

test('without a trace, from a disk, it asks for one', async () => {
  const page = await chromium.open(filled(''));
  assert.match(await text(page, 'cover'), /no recording/);
  await page.close();
});

test('a thread that only helps is in the pool, and no second loop', async () => {
  const page = await open([helped()]);
  for (const [at, words] of [
    [7, 'The thread blocking takes job 1.'],
    [10, 'The thread blocking wakes task 1 (reader).'],
    [11, 'A new turn: the loop runs the tasks that are ready.'],
  ]) {
    await goTo(page, at);
    assert.equal(await page.locator('#headline').textContent(), words);
    assert.equal(await page.locator('#workers li').count(), 0);
    assert.equal(await page.locator('#ready .queue').count(), 1);
    assert.equal(await page.locator('.token').count(), 1);
    assert.equal(await page.locator('.token').textContent(), '');
  }
  await goTo(page, 7);
  assert.match(await text(page, 'jobs'), /blocking: job 1 · reader/);
  assert.match(await page.locator('.middle').innerText(), /asleep/);
  await page.close();
});
