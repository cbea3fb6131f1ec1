// The keyboard: everything the page can do, without a mouse.
/** @import { App } from './app.js' */

import { toggleTheme } from './view/palette.js';
import { byId, html } from './view/dom.js';
import { sign } from './view/signs.js';

/**
 * What a key does, and how the help says it.
 *
 * @param {App} app
 * @returns {{ keys: string[], shown: string[], words: string, run: () => void }[]}
 */
export const commands = (app) => [
  { keys: [' ', 'k'], shown: ['Space'], words: 'play, pause', run: () => app.play() },
  { keys: ['ArrowRight'], shown: ['→'], words: 'one step on', run: () => app.step(1) },
  { keys: ['ArrowLeft'], shown: ['←'], words: 'one step back', run: () => app.step(-1) },
  {
    keys: ['Shift+ArrowRight'],
    shown: ['Shift', '→'],
    words: 'to the next turn of the loop',
    run: () => app.turn(1),
  },
  {
    keys: ['Shift+ArrowLeft'],
    shown: ['Shift', '←'],
    words: 'to the turn before',
    run: () => app.turn(-1),
  },
  { keys: ['Home'], shown: ['Home'], words: 'to the beginning', run: () => app.jump(-1) },
  { keys: ['End'], shown: ['End'], words: 'to the end', run: () => app.jump(Infinity) },
  { keys: ['n'], shown: ['N'], words: 'to the next note', run: () => app.captions.go(1) },
  { keys: ['p'], shown: ['P'], words: 'to the note before', run: () => app.captions.go(-1) },
  {
    keys: ['f'],
    shown: ['F'],
    words: 'follow the task of this step: only its steps and their causes are listed, and the ' +
      'arrows go along them',
    run: () => followThis(app),
  },
  {
    keys: ['Escape'],
    shown: ['Esc'],
    words: 'follow no more',
    run: () => app.toggleFollow(null),
  },
  { keys: ['+', '='], shown: ['+'], words: 'faster', run: () => app.controls.changeSpeed(1) },
  { keys: ['-'], shown: ['−'], words: 'slower', run: () => app.controls.changeSpeed(-1) },
  {
    keys: ['/'],
    shown: ['/'],
    words: 'search; Enter goes from one to the next',
    run: () => app.log.focusSearch(),
  },
  { keys: ['d'], shown: ['D'], words: 'light, dark', run: () => changeTheme(app) },
  { keys: ['?'], shown: ['?'], words: 'this help', run: () => openHelp() },
];

/** @param {App} app */
export function changeTheme(app) {
  toggleTheme();
  app.draw();
}

/** @param {App} app */
function followThis(app) {
  const task = app.scene()?.task;
  if (task !== undefined) app.toggleFollow(task);
}

export function openHelp() {
  const help = /** @type {HTMLDialogElement} */ (byId('help'));
  if (!help.open) help.showModal();
}

/** @param {App} app */
export function listen(app) {
  /** @type {Map<string, () => void>} */
  const runs = new Map();
  for (const { keys, run } of commands(app)) {
    for (const key of keys) runs.set(key, run);
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {Element} */ (event.target);
    if (document.querySelector('dialog[open]') || !byId('cover').hidden) return;
    if (target.closest('input[type="search"], select')) return;
    if (event.key === ' ' && target.closest('button')) return;
    const inLog = target.closest('#log') !== null;
    if (inLog && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      app.log.go(event.key === 'ArrowDown' ? 1 : -1);
      event.preventDefault();
      return;
    }
    const long = event.key.startsWith('Arrow') && event.shiftKey ? 'Shift+' : '';
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const run = runs.get(long + key);
    if (!run) return;
    event.preventDefault();
    run();
  });
}

const SIGNS = [
  ['task', 'a task: a future on its way, polled again and again until it is done'],
  ['timer', 'a timer: a deadline in the wheel, and a waker'],
  ['source', 'a source: a socket, a pipe, a terminal that the kernel watches'],
  ['job', 'a job: a call that blocks, made by a thread of the pool'],
  ['input', 'an input (I) or its output (O)'],
  ['loop', 'the loop itself: a new turn, a wait'],
];

const TITLE = 'How to read this page';
const LEAD =
  'An event loop goes round: it runs the tasks that are ready, checks for input, and fires the ' +
  'timers that are due. It never waits for a task to be done. The sentence in big letters says ' +
  'what happens at this very step.';

/** @param {App} app */
export function fillHelp(app) {
  const keys = commands(app).flatMap(({ shown, words }) => [
    html('dt', {}, ...shown.flatMap((key) => [html('kbd', {}, key), ' '])),
    html('dd', {}, words),
  ]);
  const signs = SIGNS.flatMap(([thing, words]) => [
    html('dt', {}, sign(thing)),
    html('dd', {}, words),
  ]);
  const close = html('button', { type: 'button' }, 'Close');
  const help = /** @type {HTMLDialogElement} */ (byId('help'));
  close.addEventListener('click', () => help.close());
  help.append(
    html('div', { class: 'row' }, html('h2', { id: 'help-title' }, TITLE), close),
    html('p', {}, LEAD),
    html('h3', {}, 'Signs'),
    html('dl', {}, ...signs),
    html('h3', {}, 'Keys'),
    html('dl', {}, ...keys),
  );
}
