// Small traces for tests, event by event.

export const HEADER = {
  handrolled_trace: 1,
  program: 'test',
  started: '2026-01-01T12:00:00Z',
  workers: ['loop'],
  dropped: 0,
};

/** Lines of a trace; an event without a time comes a microsecond after the one before. */
export function trace(events, header = {}) {
  let time = 0;
  const lines = events.map((event) => {
    time = event.t ?? time + 1000;
    return { ...event, t: time };
  });
  return [{ ...HEADER, ...header }, ...lines].map((line) => JSON.stringify(line)).join('\n') + '\n';
}

/** Two workers: one has three tasks, the other takes one of them. */
export const stealing = () =>
  trace(
    [
      { e: 'spawn', task: 1, name: 'a' },
      { e: 'spawn', task: 2, name: 'b' },
      { e: 'spawn', task: 3, name: 'c' },
      { e: 'turn' },
      { e: 'park', w: 1, ns: null },
      { e: 'poll', task: 1 },
      { e: 'unpark', w: 1, events: 0 },
      { e: 'steal', w: 1, from: 0, tasks: 1 },
      { e: 'poll', w: 1, task: 2 },
      { e: 'polled', w: 1, task: 2, ready: false },
      { e: 'wake', task: 2, by: { task: 1 } },
      { e: 'polled', task: 1, ready: true },
      { e: 'end', task: 1, how: 'output' },
      { e: 'poll', task: 2 },
      { e: 'polled', task: 2, ready: true },
      { e: 'poll', w: 1, task: 3 },
      { e: 'polled', w: 1, task: 3, ready: true },
    ],
    { workers: ['worker-0', 'worker-1'], title: 'stealing' },
  );

/** One loop, and a thread of the pool that tells of its own work. */
export const helped = () =>
  trace(
    [
      { e: 'spawn', task: 1, name: 'reader' },
      { e: 'turn' },
      { e: 'poll', task: 1 },
      { e: 'job', job: 1, task: 1 },
      { e: 'polled', task: 1, ready: false },
      { e: 'park', ns: null },
      { e: 'job-begin', job: 1, thread: 'blocking', w: 1 },
      { e: 'job-end', job: 1, w: 1 },
      { e: 'unpark', events: 0 },
      { e: 'wake', task: 1, by: { thread: 'blocking' } },
      { e: 'turn' },
      { e: 'poll', task: 1 },
      { e: 'polled', task: 1, ready: true },
    ],
    { workers: ['loop', 'blocking'], title: 'helped' },
  );

/** A timer that comes down two levels and fires. */
export const cascade = () =>
  trace(
    [
      { e: 'spawn', task: 1, name: 'far' },
      { e: 'turn' },
      { e: 'poll', task: 1 },
      { e: 'timer', timer: 9, due: 9_000_000, level: 2, slot: 3, task: 1 },
      { e: 'polled', task: 1, ready: false },
      { e: 'park', ns: 8_000_000 },
      { e: 'unpark', events: 0, t: 8_000_000 },
      { e: 'move', timer: 9, level: 1, slot: 60 },
      { e: 'move', timer: 9, level: 0, slot: 12 },
      { e: 'fire', timer: 9, t: 9_000_000 },
      { e: 'wake', task: 1, by: { timer: 9 } },
      { e: 'turn' },
      { e: 'poll', task: 1 },
      { e: 'polled', task: 1, ready: true },
      { e: 'end', task: 1, how: 'output' },
    ],
    { title: 'cascade', about: 'A timer comes down.' },
  );

/** Whatever a stranger may have typed. */
export const HOSTILE = '</script><script>window.harmed = 1</script><img src=x onerror="harmed=1">';
export const hostile = () =>
  trace(
    [
      { e: 'input', n: 1, text: HOSTILE, task: 1 },
      { e: 'spawn', task: 1, name: HOSTILE, at: HOSTILE },
      { e: 'spawn', task: `"]${HOSTILE}`, name: HOSTILE },
      { e: 'turn' },
      { e: 'poll', task: 1 },
      { e: 'source', source: HOSTILE, what: HOSTILE },
      { e: 'wait', source: HOSTILE, dir: 'read', task: 1 },
      { e: 'timer', timer: HOSTILE, due: 5000, level: 0, slot: 1, task: 1 },
      { e: 'job', job: HOSTILE, at: HOSTILE, task: 1 },
      { e: 'job-begin', job: HOSTILE, thread: HOSTILE },
      { e: 'polled', task: 1, ready: false },
      { e: 'wake', task: `"]${HOSTILE}`, by: { thread: HOSTILE } },
      { e: 'ready', source: HOSTILE, read: true },
      { e: 'wake', task: 1, by: { source: HOSTILE, dir: 'read' } },
      { e: 'end', task: 1, how: HOSTILE },
      { e: 'output', n: 1, text: HOSTILE, ok: false },
    ],
    {
      title: HOSTILE,
      about: HOSTILE,
      program: HOSTILE,
      workers: [HOSTILE, HOSTILE],
      captions: [{ at: 1, text: HOSTILE }],
    },
  );
