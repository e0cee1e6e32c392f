/* The plain C twin of the path-finding kernels: step + observe + mask under `soft`, lifelong, radius 5.
 *
 * Same algorithm and same memory layout as envs/mapf/dynamics.py, collisions.py and observe.py; it works on the very
 * buffers that the simulator allocates. `twin.py` holds its state against the kernels' and measures both.
 * gcc -O3 -march=native -shared -fPIC
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { RADIUS = 5, SIDE = 2 * RADIUS + 1, AREA = SIDE * SIDE };
enum { NONE, OBSTACLE, VERTEX, SWAP, BLOCKED };
enum { FREE = -1, WALL = -2 };
enum { STREAM_GOAL = 3 };

/* Field by field what twin.py fills in. */
typedef struct {
    int64_t rows, robots, height, width, pad, max_steps;
    uint64_t *restrict key;
    int32_t *restrict t;
    bool *restrict over, *restrict live, *restrict active;
    int32_t *restrict pos, *restrict goal, *restrict reached, *restrict arrived, *restrict conflicts, *restrict size;
    int8_t *restrict executed;
    bool *restrict on_goal;
    uint8_t *restrict busy, *restrict walls;
    int16_t *restrict occ;
    int32_t *restrict label, *restrict cells, *restrict first;
    int16_t *restrict claim;
    int32_t *restrict at, *restrict target;
    int64_t *restrict actions;
    double *restrict reward;
    bool *restrict terminated, *restrict truncated;
    int16_t *restrict fault;
    void *restrict seen;
    int8_t *restrict mask;
} World;

static const uint64_t GOLDEN = 0x9E3779B97F4A7C15u, M1 = 0xBF58476D1CE4E5B9u, M2 = 0x94D049BB133111EBu;

static uint64_t mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * M1;
    x = (x ^ (x >> 27)) * M2;
    return x ^ (x >> 31);
}

static uint64_t draw(uint64_t key, uint64_t stream, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t x = mix64(key + GOLDEN * (stream + 1));
    x = mix64(x + GOLDEN * (a + 1));
    x = mix64(x ^ (GOLDEN * (b + 1)));
    return mix64(x + M1 * (c + 1));
}

static int64_t next_goal(uint64_t key, int64_t robot, int64_t number, int64_t previous, const int32_t *restrict label,
                         const int32_t *restrict cells, const int32_t *restrict first)
{
    int64_t component = label[previous], begin = first[component], end = first[component + 1];
    int64_t low = begin, high = end;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (cells[middle] < previous)
            low = middle + 1;
        else
            high = middle;
    }
    int64_t listed = low < end && cells[low] == previous ? low : -1;
    int64_t others = end - begin - (listed >= 0);
    if (others <= 0)
        return previous;
    uint64_t x = draw(key, STREAM_GOAL, robot, number, 0);
    int64_t chosen = begin + (int64_t)(((x >> 32) * (uint64_t)others) >> 32);
    return cells[0 <= listed && listed <= chosen ? chosen + 1 : chosen];
}

static void intend(int64_t n, int64_t stride, int64_t pad, const int16_t *restrict occ, const int32_t *restrict pos,
                   const bool *restrict active, const int64_t *restrict actions, int32_t *restrict at,
                   int32_t *restrict target, int16_t *restrict fault)
{
    const int32_t offset[5] = {0, (int32_t)-stride, (int32_t)stride, -1, 1};
    for (int64_t i = 0; i < n; i++) {
        int32_t here = (int32_t)((pos[2 * i] + pad) * stride + pos[2 * i + 1] + pad);
        int32_t there = active[i] ? here + offset[actions[i]] : here;
        bool wall = there != here && occ[there] == WALL;
        fault[i] = wall ? OBSTACLE : NONE;
        at[i] = here;
        target[i] = wall ? here : there;
    }
}

static void soft(int64_t n, const int16_t *restrict occ, int16_t *restrict claim, const bool *restrict active,
                 const int32_t *restrict at, int32_t *restrict target, int16_t *restrict fault)
{
    bool stays = false;
    for (int64_t i = 0; i < n; i++) {
        int32_t there = target[i], here = at[i];
        if (there == here) {
            stays = true;
            continue;
        }
        int64_t other = occ[there];
        if (other >= 0 && target[other] == here) {
            fault[i] = fault[other] = SWAP;
            target[i] = here;
            target[other] = there;
            stays = true;
        } else if (claim[there] < 0) {
            claim[there] = (int16_t)i;
        } else {
            fault[i] = VERTEX;
            target[i] = here;
            stays = true;
        }
    }
    if (stays)
        for (int64_t i = 0; i < n; i++) {
            int32_t cell = at[i];
            if (target[i] != cell || !active[i])
                continue;
            for (int64_t follower = claim[cell]; follower >= 0; follower = claim[cell]) {
                claim[cell] = -1;
                fault[follower] = BLOCKED;
                cell = at[follower];
                target[follower] = cell;
            }
        }
    for (int64_t i = 0; i < n; i++)
        if (target[i] != at[i])
            claim[target[i]] = -1;
}

static void commit(int64_t n, const int32_t *restrict at, const int32_t *restrict target, int16_t *restrict occ,
                   uint8_t *restrict busy, int32_t *restrict pos, int8_t *restrict executed)
{
    for (int64_t i = 0; i < n; i++)
        if (target[i] != at[i]) {
            occ[at[i]] = FREE;
            busy[at[i]] = 0;
        }
    for (int64_t i = 0; i < n; i++) {
        int32_t there = target[i], step = there - at[i];
        if (step == 0) {
            executed[i] = 0;
            continue;
        }
        occ[there] = (int16_t)i;
        busy[there] = 1;
        if (step == -1 || step == 1) {
            pos[2 * i + 1] += step;
            executed[i] = step > 0 ? 4 : 3;
        } else {
            pos[2 * i] += step > 0 ? 1 : -1;
            executed[i] = step > 0 ? 2 : 1;
        }
    }
}

static void restart(const World *restrict w, int64_t b, int32_t t)
{
    int64_t n = w->robots, width = w->size[2 * b + 1], area = w->height * w->width;
    int32_t *restrict pos = w->pos + 2 * b * n, *restrict goal = w->goal + 2 * b * n;
    int32_t *restrict arrived = w->arrived + b * n, *restrict reached = w->reached + b * n;
    bool *restrict on_goal = w->on_goal + b * n;
    double *restrict reward = w->reward + b * n;
    for (int64_t i = 0; i < n; i++) {
        bool there = pos[2 * i] == goal[2 * i] && pos[2 * i + 1] == goal[2 * i + 1];
        on_goal[i] = there;
        reward[i] = 0.0;
        arrived[i] = -1;
        if (!there)
            continue;
        reward[i] = 1.0;
        arrived[i] = t;
        reached[i]++;
        int64_t cell = next_goal(w->key[b], i, reached[i], pos[2 * i] * width + pos[2 * i + 1], w->label + b * area,
                                 w->cells + b * area, w->first + b * (area + 1));
        goal[2 * i] = (int32_t)(cell / width);
        goal[2 * i + 1] = (int32_t)(cell % width);
    }
}

static void step(const World *restrict w)
{
    int64_t n = w->robots, stride = w->width + 2 * w->pad, padded = stride * (w->height + 2 * w->pad);
    for (int64_t b = 0; b < w->rows; b++) {
        if (w->over[b])
            continue;
        int16_t *restrict fault = w->fault + b * n, *restrict occ = w->occ + b * padded;
        int32_t *restrict pos = w->pos + 2 * b * n;
        intend(n, stride, w->pad, occ, pos, w->active + b * n, w->actions + b * n, w->at, w->target, fault);
        soft(n, occ, w->claim, w->active + b * n, w->at, w->target, fault);
        commit(n, w->at, w->target, occ, w->busy + b * padded, pos, w->executed + b * n);
        int32_t t = ++w->t[b];
        for (int64_t i = 0; i < n; i++)
            if (fault[i])
                w->conflicts[5 * b + fault[i]]++;
        restart(w, b, t);
        w->truncated[b] = t >= w->max_steps;
        if (w->truncated[b]) {
            w->over[b] = true;
            memset(w->live + b * n, 0, n);
        }
    }
}

static void look_mask(const World *restrict w)
{
    int64_t n = w->robots, stride = w->width + 2 * w->pad, padded = stride * (w->height + 2 * w->pad);
    for (int64_t b = 0; b < w->rows; b++) {
        const uint8_t *restrict walls = w->walls + b * padded;
        const int32_t *restrict pos = w->pos + 2 * b * n;
        int8_t *restrict mask = w->mask + 5 * b * n;
        for (int64_t i = 0; i < n; i++, mask += 5) {
            const uint8_t *restrict here = walls + (pos[2 * i] + w->pad) * stride + pos[2 * i + 1] + w->pad;
            uint8_t moves = w->active[b * n + i];
            mask[0] = 1;
            mask[1] = (int8_t)(moves & (here[-stride] ^ 1));
            mask[2] = (int8_t)(moves & (here[stride] ^ 1));
            mask[3] = (int8_t)(moves & (here[-1] ^ 1));
            mask[4] = (int8_t)(moves & (here[1] ^ 1));
        }
    }
}

static int64_t clip(int64_t x) { return x < -RADIUS ? -RADIUS : x > RADIUS ? RADIUS : x; }

static inline void row_of_bytes(uint8_t *restrict out, const uint8_t *restrict in) { memcpy(out, in, SIDE); }

#ifdef __AVX2__
/* Two runs of eight that overlap; gcc 12 itself widens byte by byte, at half the speed. */
static inline void widen(float *restrict out, const uint8_t *restrict in)
{
    __m256i words = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)in));
    _mm256_storeu_ps(out, _mm256_cvtepi32_ps(words));
}

static inline void row_of_floats(float *restrict out, const uint8_t *restrict in)
{
    widen(out, in);
    widen(out + SIDE - 8, in + SIDE - 8);
}
#else
static inline void row_of_floats(float *restrict out, const uint8_t *restrict in)
{
    for (int c = 0; c < SIDE; c++)
        out[c] = in[c];
}
#endif

/* One observer for both item types. */
#define LOOK(NAME, ITEM, ROW)                                                                                        \
    static void NAME(const World *restrict w)                                                                       \
    {                                                                                                               \
        int64_t n = w->robots, stride = w->width + 2 * w->pad, padded = stride * (w->height + 2 * w->pad);          \
        for (int64_t b = 0; b < w->rows; b++) {                                                                     \
            const int32_t *restrict pos = w->pos + 2 * b * n, *restrict goal = w->goal + 2 * b * n;                 \
            ITEM *restrict out = (ITEM *)w->seen + 3 * AREA * b * n;                                                \
            for (int64_t i = 0; i < n; i++, out += 3 * AREA) {                                                      \
                int64_t row = pos[2 * i], column = pos[2 * i + 1];                                                  \
                int64_t corner = b * padded + (row + w->pad - RADIUS) * stride + column + w->pad - RADIUS;          \
                const uint8_t *restrict walls = w->walls + corner, *restrict busy = w->busy + corner;               \
                for (int r = 0; r < SIDE; r++)                                                                      \
                    ROW(out + r * SIDE, walls + r * stride);                                                        \
                for (int r = 0; r < SIDE; r++)                                                                      \
                    ROW(out + AREA + r * SIDE, busy + r * stride);                                                  \
                memset(out + 2 * AREA, 0, AREA * sizeof(ITEM));                                                     \
                int64_t down = clip(goal[2 * i] - row), right = clip(goal[2 * i + 1] - column);                     \
                out[2 * AREA + (down + RADIUS) * SIDE + right + RADIUS] = 1;                                        \
            }                                                                                                       \
        }                                                                                                           \
    }
LOOK(look_bytes, uint8_t, row_of_bytes)
LOOK(look_floats, float, row_of_floats)

/* Play `steps` steps with the joint actions [period, rows, robots], taken in turn. */
#define TURN(NAME, OBSERVE)                                                                                          \
    void NAME(World *restrict w, int64_t steps, int64_t *restrict every, int64_t period)                            \
    {                                                                                                               \
        for (int64_t k = 0; k < steps; k++) {                                                                       \
            w->actions = every + (k % period) * w->rows * w->robots;                                                \
            step(w);                                                                                                \
            OBSERVE;                                                                                                \
            look_mask(w);                                                                                           \
        }                                                                                                           \
    }
TURN(turn_bytes, look_bytes(w))
TURN(turn_floats, look_floats(w))
TURN(turn_blind, (void)0)
