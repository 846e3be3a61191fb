import { type Bytes, i32, putBytes, putI32, toHex } from './bytes.ts'

const BLOCK = 64
/** The message length, in bits, ends the last block (FIPS 180-4 §5.1.1). */
const LENGTH_AT = 56

/**
 * SHA-256, FIPS 180-4, over bytes that come piece by piece. `digest` does not end it: it says the
 * hash of what came so far, and more may follow.
 */
export class Sha256 {
  #hash: Int32Array = INITIAL.slice()
  /** The bytes since the last whole block. */
  #rest = new Uint8Array(BLOCK)
  #restLength = 0
  #length = 0

  update(bytes: Bytes): this {
    const end = bytes.length
    let at = 0
    this.#length += end
    if (this.#restLength > 0) {
      at = Math.min(BLOCK - this.#restLength, end)
      putBytes(this.#rest, this.#restLength, bytes.subarray(0, at))
      this.#restLength += at
      if (this.#restLength < BLOCK) return this
      compress(this.#hash, this.#rest, 0)
      this.#restLength = 0
    }
    for (; at + BLOCK <= end; at += BLOCK) compress(this.#hash, bytes, at)
    if (at < end) {
      putBytes(this.#rest, 0, bytes.subarray(at))
      this.#restLength = end - at
    }
    return this
  }

  /** A hash that goes its own way from here. */
  clone(): Sha256 {
    const other = new Sha256()
    other.#hash = this.#hash.slice()
    other.#rest = this.#rest.slice()
    other.#restLength = this.#restLength
    other.#length = this.#length
    return other
  }

  /** 32 bytes. */
  digest(): Uint8Array {
    const hash = this.#hash.slice()
    const tail = new Uint8Array(this.#restLength < LENGTH_AT ? BLOCK : 2 * BLOCK)
    tail.set(this.#rest.subarray(0, this.#restLength))
    tail[this.#restLength] = 0x80
    putI32(tail, tail.length - 8, Math.floor(this.#length / 0x20000000))
    putI32(tail, tail.length - 4, this.#length * 8)
    for (let at = 0; at < tail.length; at += BLOCK) compress(hash, tail, at)
    const digest = new Uint8Array(32)
    for (const [i, word] of hash.entries()) putI32(digest, 4 * i, word)
    return digest
  }

  hex(): string {
    return toHex(this.digest())
  }
}

/** FIPS 180-4 §5.3.3: the fractions of the square roots of the first 8 primes, 32 bits of each. */
const INITIAL = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
)

/** FIPS 180-4 §4.2.2: the fractions of the cube roots of the first 64 primes, 32 bits of each. */
const K = Int32Array.of(
  0x428a2f98,
  0x71374491,
  0xb5c0fbcf,
  0xe9b5dba5,
  0x3956c25b,
  0x59f111f1,
  0x923f82a4,
  0xab1c5ed5,
  0xd807aa98,
  0x12835b01,
  0x243185be,
  0x550c7dc3,
  0x72be5d74,
  0x80deb1fe,
  0x9bdc06a7,
  0xc19bf174,
  0xe49b69c1,
  0xefbe4786,
  0x0fc19dc6,
  0x240ca1cc,
  0x2de92c6f,
  0x4a7484aa,
  0x5cb0a9dc,
  0x76f988da,
  0x983e5152,
  0xa831c66d,
  0xb00327c8,
  0xbf597fc7,
  0xc6e00bf3,
  0xd5a79147,
  0x06ca6351,
  0x14292967,
  0x27b70a85,
  0x2e1b2138,
  0x4d2c6dfc,
  0x53380d13,
  0x650a7354,
  0x766a0abb,
  0x81c2c92e,
  0x92722c85,
  0xa2bfe8a1,
  0xa81a664b,
  0xc24b8b70,
  0xc76c51a3,
  0xd192e819,
  0xd6990624,
  0xf40e3585,
  0x106aa070,
  0x19a4c116,
  0x1e376c08,
  0x2748774c,
  0x34b0bcb5,
  0x391c0cb3,
  0x4ed8aa4a,
  0x5b9cca4f,
  0x682e6ff3,
  0x748f82ee,
  0x78a5636f,
  0x84c87814,
  0x8cc70208,
  0x90befffa,
  0xa4506ceb,
  0xbef9a3f7,
  0xc67178f2,
)

/** The message schedule of the block at hand. Written anew for each, so that none is allocated. */
const W = new Int32Array(64)

/** FIPS 180-4 §6.2.2. */
function compress(hash: Int32Array, block: Bytes, at: number): void {
  for (let t = 0; t < 16; t++) W[t] = i32(block, at + 4 * t)
  for (let t = 16; t < 64; t++) {
    const x = W[t - 15]!
    const y = W[t - 2]!
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    W[t] = (s0 + W[t - 7]! + s1 + W[t - 16]!) | 0
  }
  let a = hash[0]!
  let b = hash[1]!
  let c = hash[2]!
  let d = hash[3]!
  let e = hash[4]!
  let f = hash[5]!
  let g = hash[6]!
  let h = hash[7]!
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + (g ^ (e & (f ^ g))) + K[t]! + W[t]!) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  hash[0] = hash[0]! + a
  hash[1] = hash[1]! + b
  hash[2] = hash[2]! + c
  hash[3] = hash[3]! + d
  hash[4] = hash[4]! + e
  hash[5] = hash[5]! + f
  hash[6] = hash[6]! + g
  hash[7] = hash[7]! + h
}
