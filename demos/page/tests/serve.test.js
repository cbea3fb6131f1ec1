// The page of `event-loop serve`: lines sent from a browser, outputs as they become ready.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { start } from './browser.js';
import { program, said, skip } from './program.js';

let chromium;
before(async () => {
  chromium = await start();
});
after(async () => {
  await chromium.stop();
  assert.deepEqual(chromium.complaints, [], 'the console is silent');
});

test('a browser sees outputs as they become ready', { skip }, async () => {
  const server = spawn(program, ['serve', '--listen', '127.0.0.1:0'], { stdio: 'pipe' });
  try {
    server.stderr.resume();
    const [, url] = await said(server.stdout, /listening on (\S+)/);
    const page = await chromium.visit(url);
    const lines = () => page.locator('#log pre').allTextContents();
    const shown = (text) =>
      page.waitForFunction(
        (part) => document.querySelector('#log').textContent.includes(part),
        text,
        { timeout: 60_000 },
      );

    // The answer is not at its end: the first input is asleep for long.
    await page.fill('textarea', 'sleep 10h\nsleep 20ms\nquery select 6 * 7\nslep 1s\n<b>bold</b>');
    await page.click('button');
    await shown('O2 (');
    await shown('[[42]]');
    await shown('O4 (');
    await shown('O5 (');
    const before = await lines();
    assert.ok(!before.some((line) => line.startsWith('O1') || line.startsWith('end')), before);
    assert.match(before[0], /^I1 sleep 10h$/);
    assert.equal(await page.locator('#log b').count(), 0, 'what a line holds is text');

    // Another request, while the first one waits.
    await page.fill('textarea', 'sleep 200ms\nsleep 1ms');
    await page.click('button');
    await shown('end: 2 inputs');
    const after = (await lines()).slice(before.length);
    const outputs = after.filter((line) => line.startsWith('O'));
    assert.deepEqual(outputs.map((line) => line.split(': ')[0].split(') ')[1]), [
      'sleep 1ms',
      'sleep 200ms',
    ]);
    await page.close(); // while the first input is asleep
  } finally {
    server.kill('SIGKILL');
  }
});
