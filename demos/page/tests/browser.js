// What the tests in Chromium share: a browser, a page with a trace in it, a picture of that page.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export const built = () => readFileSync(new URL('../built/page.html', import.meta.url), 'utf8');

/** The page as the program makes it: each trace where the placeholder is. */
export function filled(...traces) {
  const [before, after] = built().split('/*TRACE*/');
  const escaped = traces.map((trace) => String(trace).replaceAll('<', '\\u003c'));
  return before + escaped.join('</script><script type="application/x-ndjson">') + after;
}

/** A browser for the tests of one file, and what it has to say for itself. */
export async function start() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  const complaints = [];
  let files = 0;

  async function visit(url, options = {}) {
    const page = await browser.newPage({
      viewport: { width: 1280, height: 720 },
      reducedMotion: 'reduce',
      ...options,
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  return {
    browser,
    complaints,
    visit,
    /** A page from a file on the disk, as it is opened by whoever was sent one. */
    async open(html, { hash = '', ...options } = {}) {
      files += 1;
      const file = join(folder, `${files}.html`);
      writeFileSync(file, html);
      return visit(pathToFileURL(file) + hash, options);
    },
    async stop() {
      await browser.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** After everything that was asked to be drawn has been drawn. */
export const settled = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

export async function goTo(page, position) {
  await page.evaluate((at) => window.loop.goTo(at), position);
  await settled(page);
}

export const position = (page) => page.evaluate(() => window.loop.position);
export async function text(page, id) {
  const inner = await page.locator(`#${id}`).innerText();
  return inner.replace(/\s+/g, ' ');
}

/** All that can be seen: elements, their attributes in a fixed order, and every pixel drawn. */
export const picture = (page) =>
  page.evaluate(() => {
    const describe = (node) => {
      if (node.nodeType === Node.TEXT_NODE) return node.data;
      if (node instanceof HTMLCanvasElement) return node.toDataURL();
      const attributes = Array.from(node.attributes, ({ name, value }) => {
        if (name !== 'class') return `${name}=${value}`;
        const sorted = value.split(' ').filter(Boolean).sort().join(' ');
        return sorted && `class=${sorted}`;
      });
      const scroll = node.id === 'log' ? `scroll=${node.scrollTop}` : '';
      const inside = Array.from(node.childNodes, describe).join('');
      const all = attributes.filter(Boolean).sort().join(' ');
      return `<${node.localName} ${all} ${scroll}>${inside}`;
    };
    return Array.from(document.body.children, describe).join('\n');
  });
