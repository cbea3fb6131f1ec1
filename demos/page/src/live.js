// A run that is watched while it goes on: lines come as server-sent events, the header first.
/** @import { App } from './app.js' */
/** @import { Header, TraceEvent } from './types.d.ts' */

import { History } from './state/history.js';
import { TraceError, parseEvent, parseHeader } from './trace/parse.js';
import { Trace } from './trace/trace.js';
import { uncover, wait } from './view/cover.js';
import { byId, say } from './view/dom.js';

/** Events that are kept; with more, the older half is let go. */
const MOST = 200_000;

export class Live {
  /** @type {TraceEvent[]} events that came since the last frame */
  #new = [];
  /** The number that the next event should have. @type {number | null} */
  #next = null;
  #lost = 0;
  #skipped = 0;
  #status = byId('live');

  /**
   * @param {App} app
   * @param {(problem: string) => void} onProblem
   * @param {number} [most]
   */
  constructor(app, onProblem, most = MOST) {
    this.app = app;
    this.onProblem = onProblem;
    this.most = most;
  }

  start() {
    wait('Waiting for the loop …');
    const stream = new EventSource('events');
    this.#say('connecting', true);
    stream.addEventListener('open', () => this.#say('live', false));
    stream.addEventListener('error', () => {
      const over = stream.readyState === EventSource.CLOSED;
      this.#say(over ? 'the run has ended' : 'not connected: the run may be over', true);
    });
    stream.addEventListener('message', (message) => {
      try {
        this.#take(message.data, message.lastEventId);
      } catch (error) {
        if (!(error instanceof TraceError)) throw error;
        stream.close();
        this.onProblem(error.message);
      }
    });
    byId('last').addEventListener('click', () => this.#tail());
    document.addEventListener('keydown', ({ key }) => key === 'End' && this.#tail());
  }

  /**
   * @param {string} words
   * @param {boolean} off
   */
  #say(words, off) {
    this.#status.hidden = false;
    this.#status.classList.toggle('off', off);
    const lost = this.#lost > 0 ? `, ${this.#lost.toLocaleString('en')} events missed` : '';
    say(this.#status, words + lost);
  }

  #tail() {
    this.app.atTail = true;
    this.app.draw();
  }

  /**
   * @param {string} line
   * @param {string} id
   */
  #take(line, id) {
    if (line.includes('"handrolled_trace"')) {
      this.#begin(parseHeader(line));
      return;
    }
    const event = parseEvent(line, Number(id) || 0) ?? this.#note(line);
    if (!this.app.trace) throw new TraceError('The run sent an event before its header.');
    this.#count(id);
    if (event === null) this.#skipped += 1;
    else if (this.#new.push(event) === 1) requestAnimationFrame(() => this.#append());
  }

  /** What the program says about the moment: a caption. @param {string} line @returns {null} */
  #note(line) {
    const { e, text } = JSON.parse(line);
    const { trace } = this.app;
    if (!trace || e !== 'note' || typeof text !== 'string') return null;
    const at = Math.max(0, trace.length + this.#new.length - 1);
    (trace.header.captions ??= []).push({ at, text });
    return null;
  }

  /** @param {string} id */
  #count(id) {
    const number = Number.parseInt(id, 10);
    if (Number.isNaN(number)) return;
    if (this.#next !== null && number > this.#next) {
      this.#lost += number - this.#next;
      this.#say('live', false);
    }
    this.#next = number + 1;
  }

  /** The same run again, after the connection was lost, goes on; another begins anew. */
  /** @param {Header} header */
  #begin(header) {
    uncover();
    const known = this.app.trace?.header;
    if (known && known.started === header.started && known.program === header.program) {
      known.workers = header.workers; // there may be more of them now
      return;
    }
    this.#next = null;
    this.#lost = header.dropped;
    this.#new = [];
    this.app.load(new Trace(header));
    this.app.atTail = true;
    this.#say('live', false);
  }

  #append() {
    const { app } = this;
    if (!app.trace) return;
    const first = app.trace.length === 0;
    for (const event of this.#new) app.trace.append(event);
    if (first) app.lanes.reset();
    this.#new = [];
    while (app.trace.length > this.most) this.#shorten();
    if (app.atTail) app.position = app.trace.length;
    app.draw();
  }

  /** Lets the older half go: what is alive goes on from the state it has. */
  #shorten() {
    const { app } = this;
    if (!app.trace || !app.history) return;
    const cut = app.trace.length >> 1;
    const state = app.history.at(cut);
    const { position, follow, atTail } = app;
    const trace = app.trace.from(cut, state);
    trace.header.captions = trace.header.captions
      ?.map(({ at, text }) => ({ at: at - cut, text }))
      .filter(({ at }) => at >= 0);
    app.load(trace, new History(trace, state));
    Object.assign(app, { follow, atTail, position: Math.max(0, position - cut) });
  }
}
