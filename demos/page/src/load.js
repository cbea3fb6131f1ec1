// Where traces come from: the page itself, a file that is opened or dropped, a run that is live.
/** @import { App } from './app.js' */

import { Live } from './live.js';
import { TraceError, parseTrace } from './trace/parse.js';
import { Trace } from './trace/trace.js';
import { complain, gallery, invite, uncover } from './view/cover.js';
import { byId } from './view/dom.js';

/** @param {string} text */
export function read(text) {
  const { header, events, notes } = parseTrace(text);
  const trace = new Trace(header);
  trace.notes.push(...notes);
  for (const event of events) trace.append(event);
  if (trace.length === 0) throw new TraceError('This trace has a header, and no event.');
  return trace;
}

export class Loader {
  /** @type {Trace[]} */
  #runs = [];
  #file = /** @type {HTMLInputElement} */ (byId('file'));

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    const ask = () => this.#file.click();
    this.ask = ask;
    byId('open').addEventListener('click', ask);
    byId('runs').addEventListener('click', () => this.#gallery());
    this.#file.addEventListener('change', () => this.#openFile(this.#file.files?.[0]));
    addEventListener('dragover', (event) => event.preventDefault());
    addEventListener('drop', (event) => {
      event.preventDefault();
      this.#openFile(event.dataTransfer?.files[0]);
    });
  }

  start() {
    const elements = document.querySelectorAll('script[type="application/x-ndjson"]');
    const texts = Array.from(elements, (element) => element.textContent?.trim() ?? '');
    const filled = texts.filter((text) => text !== '' && !text.startsWith('/*'));
    if (filled.length === 0) {
      const served = location.protocol.startsWith('http');
      const { keep } = place(location.hash);
      const problem = (/** @type {string} */ words) => complain(words, this.ask);
      if (served) new Live(this.app, problem, keep ?? undefined).start();
      else invite(this.ask);
      return;
    }
    this.#attempt(() => {
      this.#runs = filled.map(read);
      byId('runs').hidden = this.#runs.length < 2;
      const { run, at } = place(location.hash);
      if (this.#runs.length > 1 && run === null) this.#gallery();
      else this.#choose(run ?? 0, at);
    });
  }

  #gallery() {
    gallery(this.#runs, (index) => this.#choose(index, null));
  }

  /**
   * @param {number} index
   * @param {number | null} at
   */
  #choose(index, at) {
    uncover();
    this.app.load(this.#runs[Math.min(index, this.#runs.length - 1)]);
    if (at !== null) this.app.goTo(at);
    byId('play').focus({ preventScroll: true });
  }

  /** @param {File | undefined} file */
  async #openFile(file) {
    if (!file) return;
    const text = await file.text();
    this.#file.value = '';
    this.#attempt(() => {
      const trace = read(text);
      uncover();
      this.app.load(trace);
    });
  }

  /** @param {() => void} load */
  #attempt(load) {
    try {
      load();
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      complain(error.message, this.ask);
    }
  }
}

/**
 * `#run=2&at=120` opens the second run at its 120th step; `#keep=5000` keeps so many events of a
 * live run.
 *
 * @param {string} hash
 */
export function place(hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const number = (/** @type {string} */ name) => {
    const value = Number.parseInt(parameters.get(name) ?? '', 10);
    return Number.isNaN(value) ? null : Math.max(0, value);
  };
  const run = number('run');
  const nth = run === null ? null : Math.max(0, run - 1);
  return { run: nth, at: number('at'), keep: number('keep') };
}
