/* The walk of one asset by hand in AVX2, in single precision.
 *
 * Philox4x32-10 words (Salmon and others 2011) at the addresses that the kernel uses, Box-Muller normals, a GBM log
 * price, and for each path the first step that ends at or below each of four tiers, and the closing equity.
 *
 * A path meets its tiers in order, so a lane waits for one level at a time, and four steps are looked at together:
 * groups that meet no tier, nearly all, cost three minima and a comparison. By default the levels are log prices; with
 * -DEQUITY_EACH_STEP they are equities, and each step takes the exponential of its log price.
 *
 * Eight paths are walked at a time. More of them in flight would not help: the words of the next steps do not wait for
 * the price, so the processor overlaps them by itself (four and sixteen vectors of eight took a little longer). */
#include <immintrin.h>
#include <math.h>
#include <stdint.h>

#define TIERS 4
#define LANES 8
#define ROUNDS 10

typedef __m256 Real;
typedef __m256i Word;

static inline Real real(float value) { return _mm256_set1_ps(value); }
static inline Real times(Real a, Real b) { return _mm256_mul_ps(a, b); }
static inline Real fused(Real a, Real b, Real c) { return _mm256_fmadd_ps(a, b, c); }
static inline Word as_word(Real a) { return _mm256_castps_si256(a); }
static inline Real as_real(Word a) { return _mm256_castsi256_ps(a); }
static inline Word all(uint64_t value) { return _mm256_set1_epi64x((long long)value); }
static inline Word both(Word a, Word b) { return _mm256_xor_si256(a, b); }

typedef struct {
  uint32_t first[ROUNDS], second[ROUNDS];
} Keys;

static Keys schedule(uint64_t seed) {
  Keys keys = {{(uint32_t)seed}, {(uint32_t)(seed >> 32)}};
  for (int k = 1; k < ROUNDS; k++) {
    keys.first[k] = keys.first[k - 1] + 0x9E3779B9u;
    keys.second[k] = keys.second[k - 1] + 0xBB67AE85u;
  }
  return keys;
}

/* Four words of four paths each. A word is the lower half of a 64-bit slot, which is what a multiplication reads. */
typedef struct {
  Word word[4];
} Counter;

static const uint64_t MULTIPLY_0 = 0xD2511F53, MULTIPLY_1 = 0xCD9E8D57;

static inline Word product(uint64_t a, Word b) { return _mm256_mul_epu32(all(a), b); }
static inline Word upper(Word a) { return _mm256_srli_epi64(a, 32); }

static inline Counter philox_round(Counter c, const Keys *keys, int round) {
  const Word a = product(MULTIPLY_0, c.word[0]), b = product(MULTIPLY_1, c.word[2]);
  return (Counter){{both(both(upper(b), c.word[1]), all(keys->first[round])), b,
                    both(both(upper(a), c.word[3]), all(keys->second[round])), a}};
}

/* What the first three rounds make of the path alone. The counter is (path, group of steps, 0, 0), so in round one the
 * second product is zero, in round two the first is the same for all paths, and in round three it has no group in it:
 * made once for a path, that saves a quarter of the work on words. */
typedef struct {
  Word a_1, b_2, a_3;
} Opening;

static inline Opening open_paths(Word path, const Keys *keys) {
  const Word a_1 = product(MULTIPLY_0, path);
  const Word b_2 = product(MULTIPLY_1, both(upper(a_1), all(keys->second[0])));
  const Word a_3 = product(MULTIPLY_0, both(upper(b_2), all(keys->first[1])));
  return (Opening){a_1, both(b_2, all(keys->first[2])), both(a_3, all((uint64_t)keys->second[2] << 32))};
}

static inline Counter third_round(const Opening *opening, uint64_t group, const Keys *keys) {
  const uint64_t a_2 = MULTIPLY_0 * (uint32_t)(group ^ keys->first[0]);
  const Word b_3 = product(MULTIPLY_1, both(opening->a_1, all((a_2 >> 32) ^ keys->second[1])));
  return (Counter){
      {both(upper(b_3), opening->b_2), b_3, both(upper(opening->a_3), all((uint32_t)a_2)), opening->a_3}};
}

/* The words of eight paths for one group of four steps. */
static inline void draw(const Opening openings[2], uint64_t group, const Keys *keys, Word words[4]) {
  Counter low = third_round(openings, group, keys), high = third_round(openings + 1, group, keys);
  for (int round = 3; round < ROUNDS; round++) {
    low = philox_round(low, keys, round);
    high = philox_round(high, keys, round);
  }
  for (int k = 0; k < 4; k++) /* the lower halves of both */
    words[k] = as_word(_mm256_shuffle_ps(as_real(low.word[k]), as_real(high.word[k]), _MM_SHUFFLE(2, 0, 2, 0)));
}

/* Natural logarithm of a positive, normal number: logf of Cephes (Moshier 1989). */
static inline Real logarithm(Real x) {
  const Word shifted = _mm256_sub_epi32(as_word(x), _mm256_set1_epi32(0x3F3504F3));
  const Word exponent = _mm256_srai_epi32(shifted, 23);
  const Real m = _mm256_sub_ps(as_real(_mm256_sub_epi32(as_word(x), _mm256_slli_epi32(exponent, 23))), real(1));
  static const float series[] = {-1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                                 -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f};
  Real y = real(7.0376836292e-2f);
  for (int k = 0; k < 8; k++) y = fused(y, m, real(series[k]));
  const Real square = times(m, m);
  y = fused(times(y, m), square, times(real(-0.5f), square));
  return fused(_mm256_cvtepi32_ps(exponent), real(0.693147181f), _mm256_add_ps(y, m));
}

/* e to the x, where that is a normal number: expf of Cephes. */
static inline Real exponential(Real x) {
  const Real magic = real(12582912); /* adding 1.5 * 2**23 rounds to an integer */
  const Real t = fused(x, real(1.44269504f), magic), n = _mm256_sub_ps(t, magic);
  const Real r = fused(n, real(2.12194440e-4f), fused(n, real(-0.693359375f), x));
  static const float series[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
                                 5.0000001201e-1f};
  Real p = real(1.9875691500e-4f);
  for (int k = 0; k < 5; k++) p = fused(p, r, real(series[k]));
  const Word scale = _mm256_slli_epi32(_mm256_add_epi32(as_word(t), _mm256_set1_epi32(127)), 23);
  return times(_mm256_add_ps(fused(times(p, r), r, r), real(1)), as_real(scale));
}

/* Box and Muller (1958): the first word gives the radius; the top two bits of the second a quadrant, its others an
 * angle of at most an eighth of a turn to either side. */
static inline void box_muller(Word a, Word b, Real normals[2]) {
  const Word top = _mm256_set1_epi32((int32_t)0x80000000);
  const Real u = fused(_mm256_cvtepi32_ps(_mm256_srli_epi32(a, 1)), real(0x1p-31f), real(0x1p-32f));
  const Real radius = _mm256_sqrt_ps(times(real(-2), logarithm(u)));
  const Real t = times(_mm256_cvtepi32_ps(_mm256_slli_epi32(b, 2)), real(0x1p-31f * 0.785398163f)), z = times(t, t);
  Real sine = fused(fused(real(-1.9515295891e-4f), z, real(8.3321608736e-3f)), z, real(-1.6666654611e-1f));
  Real cosine = fused(fused(real(2.443315712e-5f), z, real(-1.388731625e-3f)), z, real(4.166664568e-2f));
  sine = fused(sine, times(z, t), t);
  cosine = fused(cosine, times(z, z), fused(real(-0.5f), z, real(1)));
  const Word swapped = _mm256_slli_epi32(b, 1), sign = _mm256_and_si256(b, top);
  const Real x = _mm256_blendv_ps(cosine, sine, as_real(swapped)), y = _mm256_blendv_ps(sine, cosine, as_real(swapped));
  normals[0] = times(radius, as_real(both(as_word(x), both(sign, _mm256_and_si256(swapped, top)))));
  normals[1] = times(radius, as_real(both(as_word(y), sign)));
}

/* What the tiers' levels are compared with. */
static inline Real reading(Real log_price, float debt) {
#ifdef EQUITY_EACH_STEP
  return _mm256_sub_ps(exponential(log_price), real(debt));
#else
  (void)debt;
  return log_price;
#endif
}

/* Note, lane by lane, the tiers that four readings meet; level[TIERS] is never met. */
static __attribute__((noinline)) void note(int hits, const Real readings[4], const float *level, int32_t step,
                                           int64_t paths, int32_t *first, int32_t *tier, float *next) {
  float values[4][LANES];
  for (int j = 0; j < 4; j++) _mm256_storeu_ps(values[j], readings[j]);
  for (int lane = 0; lane < LANES; lane++) {
    if (!(hits >> lane & 1)) continue;
    for (int j = 0; j < 4; j++)
      while (values[j][lane] <= level[tier[lane]]) first[paths * tier[lane]++ + lane] = step + j;
    next[lane] = level[tier[lane]];
  }
}

/* Walk the paths [start, stop), both multiples of eight, over `steps`, a multiple of four. first: [tier][path], `steps`
 * where a tier is never met; its rows are `paths` long. */
void walk(int64_t start, int64_t stop, int64_t paths, int32_t steps, uint64_t seed, float drift, float scale,
          float debt, const float *level, float *equity, int32_t *first) {
  const float levels[TIERS + 1] = {level[0], level[1], level[2], level[3], -INFINITY};
  const Keys keys = schedule(seed);
  for (int64_t path = start; path < stop; path += LANES) {
    const Word here = all((uint64_t)path);
    const Opening openings[2] = {open_paths(_mm256_add_epi64(here, _mm256_set_epi64x(5, 4, 1, 0)), &keys),
                                 open_paths(_mm256_add_epi64(here, _mm256_set_epi64x(7, 6, 3, 2)), &keys)};
    Real log_price = real(0), next = real(level[0]);
    int32_t tier[LANES] = {0};
    for (int k = 0; k < TIERS; k++)
      _mm256_storeu_si256((Word *)(first + paths * k + path), _mm256_set1_epi32(steps));
    for (int32_t step = 0; step < steps; step += 4) {
      Word words[4];
      Real normals[4], readings[4];
      draw(openings, (uint64_t)step / 4, &keys, words);
      box_muller(words[0], words[1], normals);
      box_muller(words[2], words[3], normals + 2);
      for (int j = 0; j < 4; j++) {
        log_price = _mm256_add_ps(log_price, fused(normals[j], real(scale), real(drift)));
        readings[j] = reading(log_price, debt);
      }
      const Real early = _mm256_min_ps(readings[0], readings[1]), late = _mm256_min_ps(readings[2], readings[3]);
      const int hits = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_min_ps(early, late), next, _CMP_LE_OQ));
      if (hits) note(hits, readings, levels, step, paths, first + path, tier, (float *)&next);
    }
    _mm256_storeu_ps(equity + path, _mm256_sub_ps(exponential(log_price), real(debt)));
  }
}
