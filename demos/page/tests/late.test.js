// Whoever comes late: the program itself, watched by a browser when its first events are long gone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { settled, start, text } from './browser.js';
import { program, said, skip } from './program.js';

/** Each is some dozen events, or a kilobyte of lines. */
const INPUTS = 2_000;

let chromium;
before(async () => {
  chromium = await start();
});
after(async () => {
  await chromium.stop();
  assert.deepEqual(chromium.complaints, [], 'the console is silent');
});

test('who comes late sees what is alive, and how much was missed', { skip }, async () => {
  const options = ['--watch', '127.0.0.1:0', '--watch-limit', '256KiB'];
  const run = spawn(program, ['run', ...options], { stdio: 'pipe' });
  try {
    const [, url] = await said(run.stderr, /watch it at (\S+)/);
    run.stdin.write(`sleep 10h\n${'sleep 0s\n'.repeat(INPUTS)}`);
    await said(run.stdout, new RegExp(`\\bO${INPUTS + 1}\\b`));
    const page = await chromium.visit(url);
    const missed = /^live, ([\d,]+) events missed$/;
    await page.waitForFunction(
      (pattern) => new RegExp(pattern).test(document.querySelector('#live').textContent),
      missed.source,
      { timeout: 60_000 },
    );
    // It has caught up when the last input is out, and nothing is ready.
    await page.waitForFunction(
      () => /asleep/.test(document.querySelector('#circle').innerText),
      undefined,
      { timeout: 60_000 },
    );
    await settled(page);
    assert.ok(Number(missed.exec(await text(page, 'live'))[1].replaceAll(',', '')) > 5_000);
    assert.match(await text(page, 'waiting'), /I1\b/, 'the first input’s task waits');
    assert.match(await text(page, 'wheel-words'), /\b1 timer/);
    assert.match(await text(page, 'sources'), /reader/);
    run.stdin.write('sleep 1ms\n');
    await said(run.stdout, new RegExp(`\\bO${INPUTS + 2}\\b`));
    await page.waitForFunction((last) => window.loop.trace.outputs.at(-1) === last, INPUTS + 2);
    await page.close();
  } finally {
    run.kill('SIGKILL');
  }
});
