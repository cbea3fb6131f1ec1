// Makes built/page.html, one file that needs nothing else: node build.js
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const here = (path) => new URL(path, import.meta.url);
const text = (path) => readFileSync(here(path), 'utf8');
const hash = (code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`;

const STYLES = ['base', 'stage', 'below'];

/** The page as it has to be, from its sources. */
export async function page() {
  const bundle = await build({
    entryPoints: [here('src/main.js').pathname],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
  });
  const script = `\n${bundle.outputFiles[0].text}`;
  if (/<\/script/i.test(script)) throw new Error('the script would end itself');
  const style = `\n${STYLES.map((name) => text(`src/style/${name}.css`)).join('')}`;
  // No address but its own, no code but its own, even if a name in a trace were taken for HTML.
  const policy =
    `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; ` +
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";
  const parts = { POLICY: policy, STYLE: style, SCRIPT: script };
  return text('src/page.html').replace(
    /\/\*(POLICY|STYLE|SCRIPT)\*\//g,
    (_, name) => parts[name],
  );
}

if (process.argv[1] === here('build.js').pathname) {
  const built = await page();
  writeFileSync(here('built/page.html'), built);
  console.log(`built/page.html: ${Math.round(built.length / 1024)} KiB`);
}
