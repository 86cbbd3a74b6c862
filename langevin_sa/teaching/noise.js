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

// Polynomials of noise.py in float32, highest power first: -2 ln(1 + f)/f; sin(r)/r and cos(r) in r^2.
const LOGARITHM = [
  -0.17444719, 0.28733692, -0.29904532, 0.33124787, -0.39913666, 0.50004148, -0.66668373, 0.99999976, -2,
].map(Math.fround);
const SINE = [-1.9501822e-4, 8.3320169e-3, -0.16666651, 1].map(Math.fround);
const COSINE = [-1.3579404e-3, 4.1654419e-2, -0.49999842, 0.99999994].map(Math.fround);
const OCTAVE = Math.fround(2 * Math.log(2)), STEP = Math.fround(Math.PI * 2 ** -31);

// a*b + c of float32 with one rounding: where the sum in float64 ends in the middle of two float32, what it left out decides.
function fma(a, b, c) {
  const product = a * b, total = product + c, near = Math.fround(total), away = total - near;
  const other = total + away, back = total - product;
  const leftOut = product - (total - back) + (c - back);
  return away !== 0 && leftOut * away > 0 && Math.fround(other) === other ? other : near;
}

function polynomial(coefficients, x) {
  let value = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) value = fma(value, x, coefficients[i]);
  return value;
}

// Two standard normals from two words, into out[at], out[at + 1].
const single = new Float32Array(1), bits = new Int32Array(single.buffer);
function boxMuller(out, at, first, second) {
  single[0] = first;
  const k = Math.max((bits[0] - 0x3f3504f3) >> 23, 0);
  const whole = (first - (k < 32 ? 2 ** k : 0)) | 0;
  const f = Math.fround(Math.fround(whole) + 0.5) * 2 ** -k;
  const octaves = Math.fround((32 - k) * OCTAVE);
  const radius = Math.fround(Math.sqrt(fma(f, polynomial(LOGARITHM, f), octaves)));
  const angle = fma(Math.fround(second & 0x1fffffff), STEP, STEP / 2), z = Math.fround(angle * angle);
  const sine = Math.fround(polynomial(SINE, z) * angle), cosine = polynomial(COSINE, z);
  const swap = second & 0x20000000;
  const x = Math.fround((swap ? sine : cosine) * radius), y = Math.fround((swap ? cosine : sine) * radius);
  out[at] = second >>> 31 ? -x : x;
  out[at + 1] = second & 0x40000000 ? -y : y;
}
