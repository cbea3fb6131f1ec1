// Amounts as people say them.

const UNITS = /** @type {const} */ ([
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
]);

/** Without zeros that say nothing. @param {string} text */
const trimmed = (text) => text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');

/** A length of time, three digits of it. @param {number} ns */
export function duration(ns) {
  if (ns <= 0) return '0';
  if (ns >= 120e9) return `${trimmed((ns / 60e9).toFixed(1))} min`;
  // what would be rounded to a thousand of a unit is one of the next
  const [scale, unit] = UNITS.find(([one]) => ns >= one * 0.9995) ?? [1, 'ns'];
  const value = ns / scale;
  const digits = value >= 100 || scale === 1 ? 0 : value >= 10 ? 1 : 2;
  return `${trimmed(value.toFixed(digits))} ${unit}`;
}

/** A point in time, always in one unit, so that a column lines up. @param {number} ns */
export function time(ns) {
  return `${(ns / 1e6).toFixed(3)} ms`;
}

/**
 * A round amount, of which about `parts` make `length`.
 *
 * @param {number} length
 * @param {number} parts
 */
export function roundStep(length, parts) {
  const rough = Math.max(1, length / parts);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function count(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** @param {string[]} list */
export function listing(list) {
  if (list.length < 2) return list.join('');
  return `${list.slice(0, -1).join(', ')} and ${list[list.length - 1]}`;
}

/**
 * @param {string} text
 * @param {number} length
 */
export function cut(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
