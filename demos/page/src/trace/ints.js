// A list of whole numbers that grows: four bytes each, for one entry an event.

export class Ints {
  #values = new Int32Array(1024);
  length = 0;

  /** @param {number} value */
  push(value) {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length] = value;
    this.length += 1;
  }

  /** @param {number} index */
  at(index) {
    return index < this.length ? this.#values[index] : -1;
  }

  /**
   * @param {number} index
   * @param {number} value
   */
  set(index, value) {
    this.#values[index] = value;
  }
}
