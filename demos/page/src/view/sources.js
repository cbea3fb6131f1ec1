// The reactor's side: which task waits for which source, in which direction. And the pool's.
/** @import { Id, JobState, SourceState, State } from '../types.d.ts' */
/** @import { Scene } from '../app.js' */

import { cut } from '../trace/amounts.js';
import { shortAddress, taskLabel } from '../trace/words.js';
import { byId, html, keep, say, set } from './dom.js';
import { sign } from './signs.js';

const MOST = 7;
/** When there are more, a line is for how many. */
const MOST_OF_MORE = 6;

/**
 * Of many the one of this very event, then those that somebody waits for, then what can be read:
 * that a socket could be written to is the usual thing.
 *
 * @param {Map<Id, SourceState>} sources
 * @param {Id | undefined} now
 */
function chosen(sources, now) {
  const all = [...sources.values()];
  if (all.length <= MOST) return all;
  const weight = (/** @type {SourceState} */ { id, readable, readers, writers }) => {
    if (id === now) return 3;
    return readers.length + writers.length > 0 ? 2 : readable ? 1 : 0;
  };
  const picked = new Set([...all].sort((a, b) => weight(b) - weight(a)).slice(0, MOST_OF_MORE));
  return all.filter((one) => picked.has(one));
}

export class Sources {
  #rows = byId('sources');
  #more = byId('sources-more');

  /** @param {(task: Id) => void} onFollow */
  constructor(onFollow) {
    this.onFollow = onFollow;
  }

  /** @param {Scene} scene */
  render(scene) {
    const { state, trace, event } = scene;
    const now = event && 'source' in event ? event.source : wokenBySource(scene);
    const shown = chosen(state.sources, now);
    keep(
      this.#rows,
      shown,
      ({ id }) => `${id}`,
      () => html('tr', {}, html('th', { scope: 'row' }), html('td'), html('td')),
      (row, source) => {
        const info = trace.sources.get(source.id);
        const what = info?.what || `source ${source.id}`;
        set(row, { 'data-source': source.id });
        row.classList.toggle('now', source.id === now);
        const tasks = [...source.readers, ...source.writers];
        const follow = scene.follow;
        row.classList.toggle('aside', follow !== null && !tasks.includes(follow.task));
        const [name, read, write] = row.children;
        const kind = shortAddress(info?.what ?? '').replace(' with ', ' ');
        const short = ` ${source.id} ${cut(kind, 60)}`;
        if (name.textContent !== short) name.replaceChildren(sign('source'), short);
        const fd = info?.fd === undefined ? '' : `, descriptor ${info.fd}`;
        set(name, { title: `source ${source.id}: ${what}${fd}` });
        this.#cell(scene, read, source.readable, source.readers);
        this.#cell(scene, write, source.writable, source.writers);
      },
    );
    const hidden = state.sources.size - shown.length;
    const none = state.sources.size === 0 ? 'Nothing is watched.' : '';
    say(this.#more, hidden > 0 ? `and ${hidden.toLocaleString('en')} more` : none);
  }

  /**
   * @param {Scene} scene
   * @param {Element} cell
   * @param {boolean} ready
   * @param {Id[]} tasks
   */
  #cell(scene, cell, ready, tasks) {
    const labels = tasks.slice(0, 3).map((id) => taskLabel(scene.trace, id));
    const more = tasks.length > 3 ? ` + ${tasks.length - 3}` : '';
    const word = !ready ? '' : tasks.length > 0 ? '✓' : '✓ ready';
    const key = [word, ...tasks.slice(0, 3), more, scene.follow?.task].join('\n');
    if (/** @type {HTMLElement} */ (cell).dataset.is === key) return;
    /** @type {HTMLElement} */ (cell).dataset.is = key;
    const list = html('div', { class: 'chips' });
    if (ready) list.append(html('span', { class: 'mark', title: 'ready' }, word));
    tasks.slice(0, 3).forEach((id, index) => {
      const chip = html('button', { class: 'chip waiting', type: 'button' }, labels[index]);
      chip.classList.toggle('followed', scene.follow?.task === id);
      chip.addEventListener('click', () => this.onFollow(id));
      list.append(chip);
    });
    if (more) list.append(html('span', { class: 'none' }, more));
    if (!ready && tasks.length === 0) list.append(html('span', { class: 'none' }, '–'));
    cell.replaceChildren(list);
  }
}

/** @param {Scene} scene */
const wokenBySource = ({ event }) => (event?.e === 'wake' ? event.by?.source : undefined);

/**
 * Those that threads are at, then the first of the queue: there is room for four.
 *
 * @param {State} state
 * @param {Id | undefined} now the one of this very event
 */
function chosenJobs(state, now) {
  const all = [...state.jobs.values()];
  const rank = (/** @type {JobState} */ job) => (job.id === now ? 0 : job.thread === null ? 2 : 1);
  const jobs = all.sort((a, b) => rank(a) - rank(b)).slice(0, 4);
  return { jobs, queued: all.length - jobs.length };
}

export class Pool {
  #list = byId('jobs');

  /** @param {(task: Id) => void} onFollow */
  constructor(onFollow) {
    this.onFollow = onFollow;
  }

  /** @param {Scene} scene */
  render({ state, trace, event, follow }) {
    const now = event && 'job' in event ? event.job : undefined;
    const { jobs, queued } = chosenJobs(state, now);
    const busy = new Set(jobs.map((job) => job.thread));
    const idle = state.threads.filter((thread) => !busy.has(thread)).slice(0, 2);
    const idleNow = jobs.length === 0 ? idle : [];
    const rows = [
      ...jobs.map((job) => ({ key: `job ${job.id}`, job, text: '' })),
      ...idleNow.map((thread) => ({ key: `idle ${thread}`, job: null, text: `${thread}: idle` })),
    ];
    if (queued > 0) rows.push({ key: 'more', job: null, text: `+ ${queued} queued` });
    if (rows.length === 0) rows.push({ key: 'none', job: null, text: 'no call that blocks yet' });
    keep(
      this.#list,
      rows,
      ({ key }) => key,
      ({ job }) => {
        const chip = html('button', { class: 'chip job', type: 'button' });
        if (!job) return html('li', {}, html('span', { class: 'chip idle' }));
        const task = trace.jobs.get(job.id)?.task;
        set(chip, { 'data-job': job.id });
        chip.addEventListener('click', () => task !== undefined && this.onFollow(task));
        return html('li', {}, chip);
      },
      (item, { job, text }) => {
        const chip = /** @type {Element} */ (item.firstElementChild);
        if (!job) return say(chip, text);
        const task = trace.jobs.get(job.id)?.task;
        const whose = task === undefined ? '' : ` · ${taskLabel(trace, task)}`;
        const where = job.thread === null ? '' : `${job.thread}: `;
        chip.classList.toggle('waiting', job.thread === null);
        set(chip, { title: job.thread === null ? 'queued' : 'being done' });
        chip.classList.toggle('now', now === job.id);
        chip.classList.toggle('aside', follow !== null && follow.task !== task);
        return say(chip, `${where}job ${job.id}${whose}`);
      },
    );
  }
}
