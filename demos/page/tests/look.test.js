// Sizes, themes, and people who do not see what others see: with axe, at several moments.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { tour } from '../samples/scripts.js';
import { filled, goTo, settled, start } from './browser.js';
import { cascade, stealing, trace } from './traces.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = {
  desk: { width: 1280, height: 720 },
  large: { width: 1920, height: 1080 },
  phone: { width: 390, height: 844 },
  sideways: { width: 844, height: 390 },
};

/** Steps of the tour: the beginning, sleeping, a job, a wake with its arrow, O2, the end. */
const MOMENTS = [0, 3, 23, 53, 112, 144, 145, 148, 159];
const TELLING = new Set([0, 23, 53, 145]);

/** Where pictures are put, for whoever wants to look at them. */
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

let chromium;
before(async () => {
  chromium = await start();
});
after(async () => {
  await chromium.stop();
  assert.deepEqual(chromium.complaints, [], 'the console is silent');
});

/** What axe finds; it is put in by the driver, which the page's own policy does not bind. */
async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${size}, ${colorScheme}: nothing sticks out, axe finds nothing`, async () => {
      const page = await chromium.open(filled(tour()), { viewport, colorScheme });
      for (const at of MOMENTS) {
        await goTo(page, at);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= viewport.width, `${wide} wide at ${at}`);
        // axe takes its time: a few moments that look different are enough for it
        if (TELLING.has(at)) assert.deepEqual(await violations(page), [], `step ${at}`);
        if (shots) await page.screenshot({ path: `${shots}/${size}-${colorScheme}-${at}.png` });
      }
      await page.close();
    });
  }
}

test('workers, a cascade, the gallery, the help, a mistake: axe finds nothing', async () => {
  const page = await chromium.open(filled(stealing(), cascade()));
  assert.deepEqual(await violations(page), [], 'gallery');
  if (shots) await page.screenshot({ path: `${shots}/gallery.png` });
  for (const run of [0, 1]) {
    await page.locator('#cover li button').nth(run).click();
    await goTo(page, 8);
    await page.evaluate(() => window.loop.toggleFollow(window.loop.scene().task ?? 1));
    await settled(page);
    assert.deepEqual(await violations(page), [], `run ${run}`);
    if (shots) await page.screenshot({ path: `${shots}/run-${run}.png` });
    if (run === 0) await page.locator('#runs').click();
  }
  await page.locator('#ask').click();
  assert.deepEqual(await violations(page), [], 'help');
  if (shots) await page.screenshot({ path: `${shots}/help.png` });
  const wrong = await chromium.open(filled('no trace'));
  assert.deepEqual(await violations(wrong), [], 'mistake');
  await wrong.close();
  await page.close();
});

test('a name in the circle breaks between words only', async () => {
  const names = ['tick', 'connection', 'sixteen-of-these', 'unbreakablename'];
  const events = [...names, 'w'.repeat(40)].map((name, index) => [
    { e: 'spawn', task: index + 1, name },
    { e: 'poll', task: index + 1 },
    { e: 'polled', task: index + 1, ready: false },
  ]);
  for (const [size, viewport] of Object.entries(SIZES)) {
    const html = filled(trace([{ e: 'turn' }, ...events.flat()]));
    const page = await chromium.open(html, { viewport });
    for (const [index, name] of names.entries()) {
      await goTo(page, 3 * index + 3);
      const words = await page.locator('.middle .who').evaluate((who) => {
        const word = who.firstChild;
        const lines = [];
        for (let at = 0; at < word.length; at += 1) {
          const range = document.createRange();
          range.setStart(word, at);
          range.setEnd(word, at + 1);
          const { top } = range.getBoundingClientRect();
          if (lines.at(-1)?.top === top) lines.at(-1).text += word.data[at];
          else lines.push({ top, text: word.data[at] });
        }
        return lines.map(({ text }) => text);
      });
      assert.deepEqual(words.join(''), name, size);
      for (const line of words.slice(0, -1)) assert.match(line, /[-\s]$/, `${size}: ${words}`);
      if (shots) await page.screenshot({ path: `${shots}/name-${size}-${index}.png` });
    }
    await goTo(page, 3 * names.length + 3);
    const out = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.querySelector('main');
      return scrollWidth - clientWidth;
    });
    assert.equal(out, 0, `${size}: a name without an end sticks out`);
    await page.close();
  }
});

test('light or dark is the reader’s choice, and canvases change as well', async () => {
  const page = await chromium.open(filled(tour()), { colorScheme: 'light' });
  await goTo(page, 60);
  const look = () =>
    page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      document.querySelector('#wheel').toDataURL(),
    ]);
  const [light, lightWheel] = await look();
  await page.locator('#theme').click();
  await settled(page);
  const [dark, darkWheel] = await look();
  assert.notEqual(light, dark);
  assert.notEqual(lightWheel, darkWheel);
  await page.locator('#theme').click();
  await settled(page);
  assert.deepEqual(await look(), [light, lightWheel]);
  await page.close();
});

test('the token goes round by itself only where movement is welcome', async () => {
  const move = { still: 'reduce', moving: 'no-preference' };
  for (const [name, reducedMotion] of Object.entries(move)) {
    const page = await chromium.open(filled(tour()), { reducedMotion });
    await goTo(page, 5);
    await goTo(page, 6);
    const duration = await page
      .locator('.token')
      .first()
      .evaluate((token) => getComputedStyle(token).transitionDuration);
    assert.equal(duration !== '0s', name === 'moving', duration);
    await page.close();
  }
});

test('a timer is seen to move, and comes to rest where it is without movement', async () => {
  const page = await chromium.open(filled(cascade()), { reducedMotion: 'no-preference' });
  const wheel = () => page.evaluate(() => document.querySelector('#wheel').toDataURL());
  const pictures = new Set();
  let rested = '';
  // On a busy machine the first frame may come when all is over: then it is tried again.
  for (let attempt = 0; attempt < 5 && pictures.size < 2; attempt += 1) {
    await goTo(page, 7);
    await page.evaluate(() => window.loop.goTo(8));
    await settled(page);
    pictures.add(await wheel());
    await page.waitForTimeout(700);
    rested = await wheel();
    pictures.add(rested);
  }
  assert.ok(pictures.size > 1, 'it moved');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await goTo(page, 7);
  await goTo(page, 8);
  assert.ok((await wheel()) === rested);
  await page.close();
});
