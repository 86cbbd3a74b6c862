// Noise: Philox4x32-10 and Box-Muller, word for word those of langevin_sa/noise.py.

const THERMAL = 0, START = 1; // purposes: streams that never meet

// The upper 32 bits of the product of two 32-bit words, by halves of 16 bits.
function highProduct(a, b) {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const lower = a0 * b1 + (middle & 0xffff);
  return (a1 * b1 + (middle >>> 16) + (lower >>> 16)) >>> 0;
}

// Four random words from a counter (c0, c1, c2, c3) and a key (k0, k1), into `words` (Uint32Array).
function philox(words, c0, c1, c2, c3, k0, k1) {
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd2511f53, c0), low0 = Math.imul(0xd2511f53, c0);
    const high1 = highProduct(0xcd9e8d57, c2), low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  words[0] = c0; words[1] = c1; words[2] = c2; words[3] = c3;
}

// The key of a 64-bit seed, given as text since a number of JavaScript holds 53 bits.
function keyOf(seed) {
  const value = BigInt.asUintN(64, BigInt(seed));
  return [Number(value & 0xffffffffn), Number(value >> 32n)];
}

// The words of quad q of one replica's stream.
function quadOf(words, q, replica, purpose, key) {
  philox(words, q >>> 0, Math.floor(q / 4294967296), replica, purpose, key[0], key[1]);
}

// Two standard normals from two words, into out[at], out[at + 1].
function boxMuller(out, at, first, second) {
  const radius = Math.sqrt(-2 * Math.log((first + 0.5) * 2 ** -32));
  const angle = second * (2 * Math.PI * 2 ** -32);
  out[at] = radius * Math.cos(angle);
  out[at + 1] = radius * Math.sin(angle);
}
