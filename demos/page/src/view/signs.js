// One shape for each sort of thing, so that none depends on its colour.
/** @import { Name, Sentence } from '../trace/words.js' */

import { html, svg } from './dom.js';

/** Outlines in a square of 12. @type {Record<string, string>} */
const SHAPES = {
  task: 'M.5 2.5h11v7H.5z',
  timer: 'M6 .5a5.5 5.5 0 1 0 .01 0zM5.4 3h1.2v3l2 1.6-.8 1L5.4 6.6z',
  source: 'M6 0l6 6-6 6-6-6z',
  job: 'M3 .5h6L12 6l-3 5.5H3L0 6z',
  input: 'M0 4.5h6V1l6 5-6 5V7.5H0z',
  worker: 'M6 .5a5.5 5.5 0 1 0 .01 0zM6 3a3 3 0 1 1-.01 0z',
  loop: 'M6 .5a5.5 5.5 0 1 0 .01 0zM6 3a3 3 0 1 1-.01 0z',
};

/** @param {string} thing */
export function sign(thing) {
  const path = svg('path', { d: SHAPES[thing] ?? SHAPES.loop, 'fill-rule': 'evenodd' });
  const shape = svg('svg', { viewBox: '0 0 12 12', class: `sign of-${thing}` }, path);
  shape.setAttribute('aria-hidden', 'true');
  path.setAttribute('fill', 'currentColor');
  return shape;
}

/**
 * A sentence as elements; names are buttons that follow what they name.
 *
 * @param {Sentence} sentence
 * @param {(name: Name) => void} onName
 */
export function phrase(sentence, onName) {
  return sentence.map((part) => {
    if (typeof part === 'string') return part;
    if (part.thing === 'worker') return html('span', {}, part.text);
    const button = html(
      'button',
      { class: `name of-${part.thing}`, type: 'button' },
      sign(part.thing),
      html('span', {}, part.text),
    );
    button.addEventListener('click', () => onName(part));
    return button;
  });
}

/** The sort of thing that an event of a kind is about. */
/** @type {Record<string, string>} */
export const THING_OF = {
  spawn: 'task',
  poll: 'task',
  polled: 'task',
  wake: 'task',
  end: 'task',
  source: 'source',
  gone: 'source',
  wait: 'source',
  ready: 'source',
  timer: 'timer',
  move: 'timer',
  fire: 'timer',
  cancel: 'timer',
  job: 'job',
  'job-begin': 'job',
  'job-end': 'job',
  input: 'input',
  output: 'input',
  turn: 'loop',
  park: 'loop',
  unpark: 'loop',
  steal: 'loop',
};
