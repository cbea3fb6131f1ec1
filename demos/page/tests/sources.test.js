// What the README promises of the sources.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { page } from '../build.js';
import { built } from './browser.js';

const root = new URL('../', import.meta.url);
const files = ['src', 'samples', 'tests', '.']
  .flatMap((folder) => {
    const recursive = folder !== '.';
    const names = readdirSync(new URL(folder, root), { recursive });
    return names.map((name) => (folder === '.' ? name : `${folder}/${name}`));
  })
  .filter((name) => /\.(js|css|ts|html)$/.test(name));
const lines = (name) => readFileSync(new URL(name, root), 'utf8').split('\n');

test('the built page is what the sources make', async () => {
  assert.ok((await page()) === built(), 'run `npm run build` and commit built/page.html');
});

test('there is one place for a trace, and no address of another host', () => {
  assert.equal(built().split('/*TRACE*/').length, 2);
  const hosts = built().match(/(?:https?:)?\/\/[\w.-]+\.\w+/g) ?? [];
  assert.deepEqual([...new Set(hosts)], ['http://www.w3.org'], 'the name of SVG is no request');
});

test('no data becomes HTML', () => {
  const makers = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/;
  for (const name of files.filter((one) => one.startsWith('src/'))) {
    lines(name).forEach((line, at) => assert.doesNotMatch(line, makers, `${name}:${at + 1}`));
  }
});

test('files are short, lines fit the page, functions fit the screen', () => {
  assert.ok(files.length > 30, `only ${files.length} files found`);
  for (const name of files) {
    const all = lines(name);
    assert.ok(name.startsWith('tests/') || all.length <= 400, `${name}: ${all.length} lines`);
    all.forEach((line, at) => assert.ok([...line].length <= 100, `${name}:${at + 1} is too wide`));
    if (!name.endsWith('.js')) continue;
    all.forEach((line, start) => {
      const opens = /^( {0,2})(?!.*\bclass\b)[^\s/*].*\{$/.exec(line);
      if (!opens) return;
      const length = all.slice(start).findIndex((one) => one.startsWith(`${opens[1]}}`));
      assert.ok(length <= 70, `${name}:${start + 1}: ${length} lines`);
    });
  }
});

test('the lock file names no host', () => {
  const lock = readFileSync(new URL('package-lock.json', root), 'utf8');
  assert.doesNotMatch(lock, /"resolved"/);
});
