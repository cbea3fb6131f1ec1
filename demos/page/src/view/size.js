// How large things are, without asking: a question right after a change would make the browser lay
// out the whole page again, several times for one picture.

/** @typedef {{ width: number, height: number }} Size */

/** @type {WeakMap<Element, Size>} */
const sizes = new WeakMap();
let changed = () => {};

const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const size = { width: Math.floor(contentRect.width), height: Math.floor(contentRect.height) };
    sizes.set(target, size);
  }
  changed();
});

/** What to do when something has another size. @param {() => void} run */
export function whenResized(run) {
  changed = run;
}

/** Of an element without padding. @param {Element} element @returns {Size} */
export function sizeOf(element) {
  const known = sizes.get(element);
  if (known) return known;
  const size = { width: element.clientWidth, height: element.clientHeight };
  sizes.set(element, size);
  observer.observe(element);
  return size;
}
