// A canvas that is as sharp as the screen, and as large as its place.

import { sizeOf } from './size.js';

/**
 * Sizes the canvas to its box; gives a context that counts in the page's pixels.
 *
 * @param {HTMLCanvasElement} canvas
 */
export function prepare(canvas) {
  const { width, height } = sizeOf(canvas);
  const scale = Math.min(window.devicePixelRatio || 1, 3);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
