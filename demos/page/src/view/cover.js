// What covers the page while there is nothing to play: a choice of runs, an invitation, a mistake.
/** @import { Trace } from '../trace/trace.js' */

import { count, duration } from '../trace/amounts.js';
import { byId, html } from './dom.js';
import { overtaking } from './telling.js';

const INVITATION =
  'This page plays what an event loop wrote down while it ran. There is no recording in it yet: ' +
  'open one, or drop it here. A line for each event, in JSON, with a header first.';
const CHOICE =
  'Recorded runs, each for one idea. Play one, or go through it step by step; notes say what to ' +
  'notice.';

/** What is covered is not there for anybody. @param {boolean} covered */
function behind(covered) {
  for (const part of document.querySelectorAll('header, main, footer')) {
    /** @type {HTMLElement} */ (part).inert = covered;
  }
}

/** @param {Node[]} children */
function show(...children) {
  const cover = byId('cover');
  cover.replaceChildren(html('div', {}, ...children));
  cover.hidden = false;
  behind(true);
  /** @type {HTMLElement | null} */ (cover.querySelector('button'))?.focus();
}

export function uncover() {
  byId('cover').hidden = true;
  behind(false);
}

/**
 * @param {string} text
 * @param {() => void} run
 */
function bigButton(text, run) {
  const button = html('button', { type: 'button', class: 'big' }, text);
  button.addEventListener('click', run);
  return button;
}

const title = (/** @type {string} */ text) => html('h2', { id: 'cover-title' }, text);

/** @param {() => void} onOpen */
export function invite(onOpen) {
  show(
    title('See an event loop at work'),
    html('p', {}, INVITATION),
    bigButton('Open a recording', onOpen),
  );
}

/**
 * @param {string} problem
 * @param {() => void} onOpen
 */
export function complain(problem, onOpen) {
  show(
    title('This recording cannot be shown'),
    html('p', { class: 'wrong', role: 'alert' }, problem),
    bigButton('Open another', onOpen),
  );
}

/** @param {string} text */
export function wait(text) {
  show(title('See an event loop at work'), html('p', { role: 'status' }, text));
}

/**
 * Several runs to choose from.
 *
 * @param {Trace[]} traces
 * @param {(index: number) => void} onChoose
 */
export function gallery(traces, onChoose) {
  const cards = traces.map((trace, index) => {
    const { header } = trace;
    const notes = header.captions?.length ?? 0;
    const size = `${count(trace.length, 'step')} in ${duration(trace.end)}`;
    const button = html(
      'button',
      { type: 'button' },
      html('b', {}, header.title || header.program || `Run ${index + 1}`),
      html('span', {}, header.about || overtaking(trace)),
      html('span', {}, notes > 0 ? `${size}, ${count(notes, 'note')} on what to notice` : size),
    );
    button.addEventListener('click', () => onChoose(index));
    return html('li', {}, button);
  });
  show(
    title('See an event loop at work'),
    html('p', {}, CHOICE),
    html('ul', {}, ...cards),
  );
}
