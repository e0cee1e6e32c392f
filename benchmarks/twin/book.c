/* The order book in plain C: the algorithm and the memory layout of envs/econ/book.py, one market, no fees, cancel-newest. */
#include <stdint.h>
#include <string.h>

enum { A = 64, K = 16, L = 256, N = 2 * A * K, LOW = 100, TICK = 1, F = 64 };
enum { OK, ZERO, OUTSIDE, NO_CASH, NO_STOCK, TOO_MANY, UNKNOWN, OWN, EMPTY };

static int32_t qty[N], lvl[N], expiry[N], nxt[N], prv[N], head[2][L], tail[2][L], best[2], fills[F][4], last;
static int64_t id[N], stamp[N], depth[2][L], held_cash[A], held_stock[A], issued, stamps, trades, volume, turnover, sum, squares;
static int64_t *cash, *stock;

static void hold(int side, int who, int64_t level, int64_t quantity) {
    if (side) { stock[who] -= quantity; held_stock[who] += quantity; }
    else { int64_t cost = (LOW + level * TICK) * quantity; cash[who] -= cost; held_cash[who] += cost; }
}

static void unlink_order(int side, int place) {
    int level = lvl[place], before = prv[place], after = nxt[place];
    if (before < 0) head[side][level] = after; else nxt[before] = after;
    if (after < 0) tail[side][level] = before; else prv[after] = before;
    depth[side][level] -= qty[place];
    qty[place] = 0;
    if (before < 0 && after < 0 && level == best[side]) {
        if (side) while (level < L && head[1][level] < 0) level++;
        else while (level >= 0 && head[0][level] < 0) level--;
        best[side] = level;
    }
}

static void drop(int place) {
    int side = place / (A * K);
    hold(side, place / K % A, lvl[place], -(int64_t)qty[place]);
    unlink_order(side, place);
}

static int64_t match(int who, int side, int worst, int64_t left, int *why) {
    int other = 1 - side;
    *why = OK;
    while (left > 0) {
        int level = best[other];
        if (level < 0 || level >= L || (side ? level < worst : level > worst)) { *why = EMPTY; return left; }
        int place = head[other][level], owner = place / K % A;
        if (owner == who) { *why = OWN; return left; }
        int64_t price = LOW + (int64_t)level * TICK, traded = left < qty[place] ? left : qty[place];
        if (!side && price * traded > cash[who]) traded = cash[who] / price;
        if (!traded) { *why = NO_CASH; return left; }
        int64_t value = price * traded;
        int32_t *f = fills[trades++ % F];
        f[0] = side ? owner : who; f[1] = side ? who : owner; f[2] = level; f[3] = (int32_t)traded;
        volume += traded; turnover += value; sum += level; squares += (int64_t)level * level; last = level;
        if (side) { stock[who] -= traded; cash[who] += value; held_cash[owner] -= value; stock[owner] += traded; }
        else { cash[who] -= value; stock[who] += traded; held_stock[owner] -= traded; cash[owner] += value; }
        if (traded == qty[place]) unlink_order(other, place);
        else { qty[place] -= (int32_t)traded; depth[other][level] -= traded; }
        left -= traded;
    }
    return left;
}

static int enter(int who, int side, int level, int64_t quantity, int64_t until, int place, int64_t number) {
    int why;
    int64_t left = match(who, side, level, quantity, &why);
    if (why == OWN) return left == quantity ? OWN : OK;
    if (left > 0) {
        hold(side, who, level, left);
        qty[place] = (int32_t)left; lvl[place] = level; expiry[place] = (int32_t)until; id[place] = number;
        int end = tail[side][level];
        nxt[place] = -1; prv[place] = end;
        if (end < 0) head[side][level] = place; else nxt[end] = place;
        tail[side][level] = place;
        depth[side][level] += left;
        if (side ? level < best[1] : level > best[0]) best[side] = level;
        stamp[place] = stamps++;
    }
    return OK;
}

static int limit_order(int who, int side, int level, int64_t quantity, int64_t until) {
    if (quantity <= 0) return ZERO;
    if (level < 0 || level >= L) return OUTSIDE;
    if (!side && (LOW + (int64_t)level * TICK) * quantity > cash[who]) return NO_CASH;
    if (side && quantity > stock[who]) return NO_STOCK;
    int place = (side * A + who) * K, end = place + K;
    while (place < end && qty[place]) place++;
    if (place == end) return TOO_MANY;
    int code = enter(who, side, level, quantity, until, place, issued);
    issued += code == OK;
    return code;
}

static int modify(int who, int side, int j, int level, int64_t quantity, int64_t until) {
    int place = (side * A + who) * K + j;
    int64_t old = qty[place];
    if (!old) return UNKNOWN;
    if (quantity <= 0) return ZERO;
    if (level == lvl[place] && quantity <= old) {
        hold(side, who, level, quantity - old);
        qty[place] = (int32_t)quantity;
        depth[side][level] -= old - quantity;
        return OK;
    }
    int64_t held = side ? old : (LOW + (int64_t)lvl[place] * TICK) * old;
    int64_t need = side ? quantity : (LOW + (int64_t)level * TICK) * quantity;
    if (need > (side ? stock : cash)[who] + held) return side ? NO_STOCK : NO_CASH;
    int64_t number = id[place];
    drop(place);
    return enter(who, side, level, quantity, until, place, number);
}

/* log int64[count][8]: kind, account, side, level, quantity, j, expiry, fee (ignored) */
void play(long count, const int64_t (*log)[8], int16_t *codes, int64_t *money, int64_t *goods) {
    cash = money; stock = goods;
    memset(qty, 0, sizeof qty); memset(depth, 0, sizeof depth);
    memset(head, -1, sizeof head); memset(tail, -1, sizeof tail);
    memset(held_cash, 0, sizeof held_cash); memset(held_stock, 0, sizeof held_stock);
    best[0] = -1; best[1] = L;
    issued = stamps = trades = volume = turnover = sum = squares = 0;
    for (long n = 0; n < count; n++) {
        const int64_t *m = log[n];
        int who = (int)m[1], side = (int)m[2], level = (int)m[3], why;
        switch (m[0]) {
        case 1: codes[n] = (int16_t)limit_order(who, side, level, m[4], m[6]); break;
        case 2:
            if (m[4] <= 0) codes[n] = ZERO;
            else if (side && m[4] > stock[who]) codes[n] = NO_STOCK;
            else { int64_t left = match(who, side, side ? 0 : L - 1, m[4], &why); codes[n] = (int16_t)(left == m[4] ? why : OK); }
            break;
        case 3: {
            int place = (side * A + who) * K + (int)m[5];
            if (qty[place]) { drop(place); codes[n] = OK; } else codes[n] = UNKNOWN;
            break;
        }
        case 4: codes[n] = (int16_t)modify(who, side, (int)m[5], level, m[4], m[6]); break;
        default: codes[n] = OK;
        }
    }
}
