// A loop made of generators, on a clock of its own: it does what the real one does, in its order,
// and writes it down as a trace. Same script, same trace; no time passes while it runs.

const TICK = 65_536; // ns, as the real loop's timers have it
const POLL = 1_500; // what a poll costs, ns
const CALL = 400; // what telling something costs

/** The digits of a tick in base 64, lowest first. */
const digits = (tick) => Array.from({ length: 8 }, (_, at) => Math.floor(tick / 64 ** at) % 64);

/** Where the wheel keeps a deadline: the highest digit in which it differs from now. */
function place(deadline, now) {
  const [to, from] = [digits(deadline), digits(now)];
  let level = 7;
  while (level > 0 && to[level] === from[level]) level -= 1;
  return { level, slot: to[level] };
}

export class Model {
  time = 0;
  lines = [];
  ready = [];
  tasks = new Map();
  timers = new Map();
  outside = []; // what happens by itself: { at, run }
  polling = null;
  inputs = 0;
  ids = { task: 0, timer: 0, source: 0, job: 0 };
  threads = ['blocking-1', 'blocking-2'];

  constructor(header) {
    this.header = {
      handrolled_trace: 1,
      program: 'event-loop run',
      started: '2026-01-01T12:00:00Z',
      workers: ['loop'],
      dropped: 0,
      tick_ns: TICK,
      wheel_zero: 0,
      ...header,
    };
  }

  tell(e, fields = {}) {
    this.lines.push({ t: this.time, e, ...fields });
    this.time += CALL;
  }

  /** `script` is a generator function: what it yields is what it waits for. */
  spawn(name, at, script) {
    const task = (this.ids.task += 1);
    const by = this.polling === null ? {} : { by: this.polling };
    this.tell('spawn', { task, name, at, ...by });
    this.tasks.set(task, { steps: script(this, task) });
    this.ready.push(task);
    return task;
  }

  wake(task, by) {
    if (!this.tasks.has(task) || this.ready.includes(task)) return;
    this.tell('wake', { task, by });
    this.ready.push(task);
  }

  source(what, fd) {
    const source = (this.ids.source += 1);
    this.tell('source', { source, fd, what });
    return source;
  }

  input(text) {
    this.inputs += 1;
    this.tell('input', { n: this.inputs, text });
    return this.inputs;
  }

  output(n, text, ok = true) {
    this.tell('output', { n, text, ok });
  }

  /** Something that happens without the loop: a line arrives, an answer, a disk is done. */
  later(delay, run) {
    this.outside.push({ at: this.time + delay, run });
    this.outside.sort((a, b) => a.at - b.at);
  }

  poll(task) {
    this.polling = task;
    this.tell('poll', { task });
    this.time += POLL;
    const { value, done } = this.tasks.get(task).steps.next();
    if (!done) this.begin(task, value);
    this.tell('polled', { task, ready: done });
    if (done) this.tell('end', { task, how: 'output' });
    if (done) this.tasks.delete(task);
    this.polling = null;
  }

  begin(task, { sleep, job, wait }) {
    if (sleep !== undefined) this.beginSleep(task, sleep);
    if (job !== undefined) this.beginJob(task, job);
    if (wait !== undefined) this.beginWait(task, wait);
    if (sleep === undefined && job === undefined && wait === undefined) {
      this.wake(task, { self: true });
    }
  }

  beginSleep(task, length) {
    const timer = (this.ids.timer += 1);
    const due = Math.ceil((this.time + length) / TICK) * TICK;
    const where = place(due / TICK, Math.floor(this.time / TICK));
    this.timers.set(timer, { task, due, ...where });
    this.tell('timer', { timer, due, ...where, task });
  }

  beginJob(task, { length, at }) {
    const job = (this.ids.job += 1);
    const thread = this.threads[job % this.threads.length];
    this.tell('job', { job, at, task });
    this.later(20_000, () => this.tell('job-begin', { job, thread }));
    this.later(20_000 + length, () => {
      this.tell('job-end', { job });
      this.wake(task, { thread });
    });
  }

  beginWait(task, { source, dir = 'read', after }) {
    this.tell('wait', { source, dir, task });
    if (after === undefined) return;
    this.later(after, () => {
      this.tell('ready', { source, read: dir === 'read', write: dir === 'write' });
      this.wake(task, { source, dir });
    });
  }

  /** What is due: cascades first, then fires, as the wheel does. */
  fire() {
    const now = Math.floor(this.time / TICK);
    const due = (a, b) => a[1].due - b[1].due;
    for (const [timer, entry] of [...this.timers].sort(due)) {
      const where = place(entry.due / TICK, now);
      if (entry.due / TICK > now && where.level < entry.level) {
        Object.assign(entry, where);
        this.tell('move', { timer, ...where });
      }
    }
    for (const [timer, entry] of [...this.timers].sort(due)) {
      if (entry.due > this.time) continue;
      this.timers.delete(timer);
      this.tell('fire', { timer });
      this.wake(entry.task, { timer });
    }
  }

  wait() {
    const deadline = Math.min(...[...this.timers.values()].map((timer) => timer.due));
    const patience = this.ready.length > 0 ? 0 : Math.max(0, deadline - this.time);
    this.tell('park', { ns: Number.isFinite(patience) ? patience : null });
    const next = Math.min(deadline, this.outside[0]?.at ?? Infinity);
    if (patience > 0 && Number.isFinite(next)) this.time = Math.max(this.time, next) + 8_000;
    const happened = this.outside.filter((one) => one.at <= this.time);
    this.outside = this.outside.filter((one) => one.at > this.time);
    this.tell('unpark', { events: happened.length });
    for (const one of happened) one.run();
  }

  run(limit = Infinity) {
    while (this.tasks.size > 0 && this.lines.length < limit) {
      this.tell('turn');
      for (const task of this.ready.splice(0)) this.poll(task);
      if (this.tasks.size === 0) break;
      this.wait();
      this.fire();
    }
    return this;
  }

  toString() {
    return [this.header, ...this.lines].map((line) => JSON.stringify(line)).join('\n') + '\n';
  }
}
